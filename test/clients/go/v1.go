package main

import (
	"errors"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	dataworks "github.com/aliyun/alibaba-cloud-sdk-go/services/dataworks-public"
)

type typed struct {
	client  *dataworks.Client
	project requests.Integer
}

func connect(secret string) api {
	client := must(dataworks.NewClientWithAccessKey("any-region", setting("KEY_ID"), secret))
	client.Domain = setting("ENDPOINT")
	return typed{client, number(setting("PROJECT"))}
}

func number(digits string) requests.Integer { return requests.Integer(digits) }

func (typed typed) createDataSource(name, kind, content string) int64 {
	request := dataworks.CreateCreateDataSourceRequest()
	request.ProjectId, request.Name, request.DataSourceType = typed.project, name, kind
	request.EnvType, request.Content = "1", content
	return must(typed.client.CreateDataSource(request)).Data
}

func (typed typed) listDataSources(project, name string) ([]dataSource, error) {
	request := dataworks.CreateListDataSourcesRequest()
	request.ProjectId, request.Name = number(project), name
	answer, err := typed.client.ListDataSources(request)
	if err != nil {
		return nil, err
	}
	var found []dataSource
	for _, one := range answer.Data.DataSources {
		found = append(found, dataSource{int64(one.Id), one.Name, one.DataSourceType, int64(one.ProjectId)})
	}
	return found, nil
}

func (typed typed) deleteDataSource(id int64) bool {
	request := dataworks.CreateDeleteDataSourceRequest()
	request.DataSourceId = requests.NewInteger64(id)
	return must(typed.client.DeleteDataSource(request)).Data
}

func (typed typed) planNew(taskParam string) int64 {
	request := dataworks.CreateGenerateDISyncTaskConfigForCreatingRequest()
	request.ProjectId, request.TaskType, request.TaskParam = typed.project, realtime, taskParam
	return must(typed.client.GenerateDISyncTaskConfigForCreating(request)).Data.ProcessId
}

func (typed typed) planChange(file int64, taskParam string) int64 {
	request := dataworks.CreateGenerateDISyncTaskConfigForUpdatingRequest()
	request.ProjectId, request.TaskType, request.TaskId = typed.project, realtime, requests.NewInteger64(file)
	request.TaskParam = taskParam
	return must(typed.client.GenerateDISyncTaskConfigForUpdating(request)).Data.ProcessId
}

func (typed typed) processResult(process int64) (outcome, string) {
	request := dataworks.CreateQueryDISyncTaskConfigProcessResultRequest()
	request.ProjectId, request.TaskType = typed.project, realtime
	request.AsyncProcessId = requests.NewInteger64(process)
	data := must(typed.client.QueryDISyncTaskConfigProcessResult(request)).Data
	return outcome{data.Status, data.Message}, data.TaskContent
}

func (typed typed) create(name, taskParam, content string) (outcome, int64) {
	request := dataworks.CreateCreateDISyncTaskRequest()
	request.ProjectId, request.TaskType, request.TaskName = typed.project, realtime, name
	request.TaskParam, request.TaskContent = taskParam, content
	data := must(typed.client.CreateDISyncTask(request)).Data
	return outcome{data.Status, data.Message}, data.FileId
}

func (typed typed) update(file int64, content string) outcome {
	request := dataworks.CreateUpdateDISyncTaskRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	request.TaskContent = content
	data := must(typed.client.UpdateDISyncTask(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) deploy(file int64) outcome {
	request := dataworks.CreateDeployDISyncTaskRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	data := must(typed.client.DeployDISyncTask(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) start(file int64, startParam string) outcome {
	request := dataworks.CreateStartDISyncInstanceRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	request.StartParam = startParam
	data := must(typed.client.StartDISyncInstance(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) stop(file int64) outcome {
	request := dataworks.CreateStopDISyncInstanceRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	data := must(typed.client.StopDISyncInstance(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) terminate(file int64) outcome {
	request := dataworks.CreateTerminateDISyncInstanceRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	data := must(typed.client.TerminateDISyncInstance(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) delete(file int64) outcome {
	request := dataworks.CreateDeleteDISyncTaskRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	data := must(typed.client.DeleteDISyncTask(request)).Data
	return outcome{data.Status, data.Message}
}

func (typed typed) script(file int64) string {
	request := dataworks.CreateGetDISyncTaskRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	return must(typed.client.GetDISyncTask(request)).Data.Code
}

func (typed typed) instanceStatus(file int64) string {
	request := dataworks.CreateGetDISyncInstanceInfoRequest()
	request.ProjectId, request.TaskType, request.FileId = typed.project, realtime, requests.NewInteger64(file)
	return must(typed.client.GetDISyncInstanceInfo(request)).Data.Status
}

func refusal(err error) (string, int, string) {
	var found *sdkerrors.ServerError
	if !errors.As(err, &found) {
		return "", 0, ""
	}
	return "ServerError", found.HttpStatus(), found.ErrorCode()
}
