package main

import (
	"errors"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	dataworks "github.com/aliyun/alibaba-cloud-sdk-go/services/dataworks-public"
)

type typed struct{ client *dataworks.Client }

func connect(secret string) api {
	return typed{must(dataworks.NewClientWithAccessKey("any-region", setting("KEY_ID"), secret))}
}

// here sends a request to the service.
func here(request *requests.RpcRequest) {
	request.Scheme = "http"
	request.Domain = setting("ENDPOINT")
}

func number(digits string) requests.Integer { return requests.Integer(digits) }

func (typed typed) createDataSource(name, kind, content string) (int64, error) {
	request := dataworks.CreateCreateDataSourceRequest()
	here(request.RpcRequest)
	request.ProjectId = number(setting("PROJECT"))
	request.Name, request.DataSourceType, request.EnvType, request.Content = name, kind, "1", content
	answer, err := typed.client.CreateDataSource(request)
	if err != nil {
		return 0, err
	}
	return answer.Data, nil
}

func (typed typed) listDataSources(project, name string) ([]dataSource, error) {
	request := dataworks.CreateListDataSourcesRequest()
	here(request.RpcRequest)
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

func (typed typed) deleteDataSource(id int64) (bool, error) {
	request := dataworks.CreateDeleteDataSourceRequest()
	here(request.RpcRequest)
	request.DataSourceId = requests.NewInteger64(id)
	answer, err := typed.client.DeleteDataSource(request)
	if err != nil {
		return false, err
	}
	return answer.Data, nil
}

func (typed typed) planNew(taskParam string) (int64, error) {
	request := dataworks.CreateGenerateDISyncTaskConfigForCreatingRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType, request.TaskParam = number(setting("PROJECT")), realtime, taskParam
	answer, err := typed.client.GenerateDISyncTaskConfigForCreating(request)
	if err != nil {
		return 0, err
	}
	return answer.Data.ProcessId, nil
}

func (typed typed) planChange(file int64, taskParam string) (int64, error) {
	request := dataworks.CreateGenerateDISyncTaskConfigForUpdatingRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType, request.TaskParam = number(setting("PROJECT")), realtime, taskParam
	request.TaskId = requests.NewInteger64(file)
	answer, err := typed.client.GenerateDISyncTaskConfigForUpdating(request)
	if err != nil {
		return 0, err
	}
	return answer.Data.ProcessId, nil
}

func (typed typed) processResult(process int64) (outcome, string, error) {
	request := dataworks.CreateQueryDISyncTaskConfigProcessResultRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.AsyncProcessId = requests.NewInteger64(process)
	answer, err := typed.client.QueryDISyncTaskConfigProcessResult(request)
	if err != nil {
		return outcome{}, "", err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, answer.Data.TaskContent, nil
}

func (typed typed) create(name, taskParam, content string) (outcome, int64, error) {
	request := dataworks.CreateCreateDISyncTaskRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType, request.TaskName = number(setting("PROJECT")), realtime, name
	request.TaskParam, request.TaskContent = taskParam, content
	answer, err := typed.client.CreateDISyncTask(request)
	if err != nil {
		return outcome{}, 0, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, answer.Data.FileId, nil
}

func (typed typed) update(file int64, content string) (outcome, error) {
	request := dataworks.CreateUpdateDISyncTaskRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType, request.TaskContent = number(setting("PROJECT")), realtime, content
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.UpdateDISyncTask(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) deploy(file int64) (outcome, error) {
	request := dataworks.CreateDeployDISyncTaskRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.DeployDISyncTask(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) start(file int64, startParam string) (outcome, error) {
	request := dataworks.CreateStartDISyncInstanceRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType, request.StartParam = number(setting("PROJECT")), realtime, startParam
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.StartDISyncInstance(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) stop(file int64) (outcome, error) {
	request := dataworks.CreateStopDISyncInstanceRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.StopDISyncInstance(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) terminate(file int64) (outcome, error) {
	request := dataworks.CreateTerminateDISyncInstanceRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.TerminateDISyncInstance(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) delete(file int64) (outcome, error) {
	request := dataworks.CreateDeleteDISyncTaskRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.DeleteDISyncTask(request)
	if err != nil {
		return outcome{}, err
	}
	return outcome{answer.Data.Status, answer.Data.Message}, nil
}

func (typed typed) script(file int64) (string, error) {
	request := dataworks.CreateGetDISyncTaskRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.GetDISyncTask(request)
	if err != nil {
		return "", err
	}
	return answer.Data.Code, nil
}

func (typed typed) instanceStatus(file int64) (string, error) {
	request := dataworks.CreateGetDISyncInstanceInfoRequest()
	here(request.RpcRequest)
	request.ProjectId, request.TaskType = number(setting("PROJECT")), realtime
	request.FileId = requests.NewInteger64(file)
	answer, err := typed.client.GetDISyncInstanceInfo(request)
	if err != nil {
		return "", err
	}
	return answer.Data.Status, nil
}

func refusal(err error) (string, int, string) {
	var found *sdkerrors.ServerError
	if !errors.As(err, &found) {
		return "", 0, ""
	}
	return "ServerError", found.HttpStatus(), found.ErrorCode()
}
