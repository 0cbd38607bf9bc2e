package main

import "strconv"

// named calls operations by their names, for clients that know none of them.
type named struct {
	// send gives the answer's Data. Numbers are json.Number or int64, as the client reads them.
	send func(action, method string, query, form map[string]string) (any, error)
}

func (client named) createDataSource(name, kind, content string) (int64, error) {
	query := map[string]string{
		"ProjectId": setting("PROJECT"), "Name": name, "DataSourceType": kind, "EnvType": "1", "Content": content,
	}
	data, err := client.send("CreateDataSource", "POST", query, nil)
	return whole(data), err
}

func (client named) listDataSources(project, name string) ([]dataSource, error) {
	data, err := client.send("ListDataSources", "GET", map[string]string{"ProjectId": project, "Name": name}, nil)
	if err != nil {
		return nil, err
	}
	var found []dataSource
	for _, one := range data.(map[string]any)["DataSources"].([]any) {
		fields := one.(map[string]any)
		found = append(found, dataSource{
			whole(fields["Id"]), text(fields["Name"]), text(fields["DataSourceType"]), whole(fields["ProjectId"]),
		})
	}
	return found, nil
}

func (client named) deleteDataSource(id int64) (bool, error) {
	data, err := client.send("DeleteDataSource", "POST", map[string]string{"DataSourceId": digits(id)}, nil)
	return data == true, err
}

func (client named) planNew(taskParam string) (int64, error) {
	data, err := client.call("GenerateDISyncTaskConfigForCreating", map[string]string{"TaskParam": taskParam})
	return whole(data["ProcessId"]), err
}

func (client named) planChange(file int64, taskParam string) (int64, error) {
	query := map[string]string{"TaskId": digits(file), "TaskParam": taskParam}
	data, err := client.call("GenerateDISyncTaskConfigForUpdating", query)
	return whole(data["ProcessId"]), err
}

func (client named) processResult(process int64) (outcome, string, error) {
	data, err := client.call("QueryDISyncTaskConfigProcessResult", map[string]string{"AsyncProcessId": digits(process)})
	return outcomeOf(data), text(data["TaskContent"]), err
}

func (client named) create(name, taskParam, content string) (outcome, int64, error) {
	query := map[string]string{"ProjectId": setting("PROJECT"), "TaskType": realtime, "TaskName": name, "TaskParam": taskParam}
	data, err := client.send("CreateDISyncTask", "POST", query, map[string]string{"TaskContent": content})
	if err != nil {
		return outcome{}, 0, err
	}
	fields := data.(map[string]any)
	return outcomeOf(fields), whole(fields["FileId"]), nil
}

func (client named) update(file int64, content string) (outcome, error) {
	return client.do("UpdateDISyncTask", file, map[string]string{"TaskContent": content})
}

func (client named) deploy(file int64) (outcome, error) {
	return client.do("DeployDISyncTask", file, nil)
}

func (client named) start(file int64, startParam string) (outcome, error) {
	return client.do("StartDISyncInstance", file, map[string]string{"StartParam": startParam})
}

func (client named) stop(file int64) (outcome, error) {
	return client.do("StopDISyncInstance", file, nil)
}

func (client named) terminate(file int64) (outcome, error) {
	return client.do("TerminateDISyncInstance", file, nil)
}

func (client named) delete(file int64) (outcome, error) {
	return client.do("DeleteDISyncTask", file, nil)
}

func (client named) script(file int64) (string, error) {
	data, err := client.call("GetDISyncTask", map[string]string{"FileId": digits(file)})
	return text(data["Code"]), err
}

func (client named) instanceStatus(file int64) (string, error) {
	data, err := client.call("GetDISyncInstanceInfo", map[string]string{"FileId": digits(file)})
	return text(data["Status"]), err
}

func (client named) do(action string, file int64, more map[string]string) (outcome, error) {
	query := map[string]string{"FileId": digits(file)}
	for name, value := range more {
		query[name] = value
	}
	data, err := client.call(action, query)
	return outcomeOf(data), err
}

func (client named) call(action string, query map[string]string) (map[string]any, error) {
	query["ProjectId"], query["TaskType"] = setting("PROJECT"), realtime
	data, err := client.send(action, "POST", query, nil)
	if err != nil {
		return nil, err
	}
	return data.(map[string]any), nil
}

func outcomeOf(data map[string]any) outcome {
	return outcome{text(data["Status"]), text(data["Message"])}
}

// text is empty for null.
func text(value any) string {
	found, _ := value.(string)
	return found
}

// whole reads a number's digits: a text is no number.
func whole(value any) int64 {
	switch number := value.(type) {
	case int64:
		return number
	case interface{ Int64() (int64, error) }:
		return must(number.Int64())
	default:
		return 0
	}
}

func digits(id int64) string { return strconv.FormatInt(id, 10) }
