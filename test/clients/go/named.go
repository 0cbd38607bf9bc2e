package main

import "strconv"

// named calls operations by their names, for clients that know none of them.
type named struct {
	// send gives the answer's Data. Numbers are json.Number or int64, as the client reads them.
	send func(action, method string, query, form map[string]string) (any, error)
}

func (client named) createDataSource(name, kind, content string) int64 {
	query := map[string]string{
		"ProjectId": setting("PROJECT"), "Name": name, "DataSourceType": kind, "EnvType": "1", "Content": content,
	}
	return whole(must(client.send("CreateDataSource", "POST", query, nil)))
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

func (client named) deleteDataSource(id int64) bool {
	return must(client.send("DeleteDataSource", "POST", map[string]string{"DataSourceId": digits(id)}, nil)) == true
}

func (client named) planNew(taskParam string) int64 {
	data := client.call("GenerateDISyncTaskConfigForCreating", map[string]string{"TaskParam": taskParam}, nil)
	return whole(data["ProcessId"])
}

func (client named) planChange(file int64, taskParam string) int64 {
	query := map[string]string{"TaskId": digits(file), "TaskParam": taskParam}
	return whole(client.call("GenerateDISyncTaskConfigForUpdating", query, nil)["ProcessId"])
}

func (client named) processResult(process int64) (outcome, string) {
	query := map[string]string{"AsyncProcessId": digits(process)}
	data := client.call("QueryDISyncTaskConfigProcessResult", query, nil)
	return outcomeOf(data), text(data["TaskContent"])
}

func (client named) create(name, taskParam, content string) (outcome, int64) {
	query := map[string]string{"TaskName": name, "TaskParam": taskParam}
	data := client.call("CreateDISyncTask", query, map[string]string{"TaskContent": content})
	return outcomeOf(data), whole(data["FileId"])
}

func (client named) update(file int64, content string) outcome {
	return client.do("UpdateDISyncTask", file, map[string]string{"TaskContent": content})
}

func (client named) deploy(file int64) outcome { return client.do("DeployDISyncTask", file, nil) }

func (client named) start(file int64, startParam string) outcome {
	return client.do("StartDISyncInstance", file, map[string]string{"StartParam": startParam})
}

func (client named) stop(file int64) outcome { return client.do("StopDISyncInstance", file, nil) }

func (client named) terminate(file int64) outcome {
	return client.do("TerminateDISyncInstance", file, nil)
}

func (client named) delete(file int64) outcome { return client.do("DeleteDISyncTask", file, nil) }

func (client named) script(file int64) string {
	return text(client.call("GetDISyncTask", map[string]string{"FileId": digits(file)}, nil)["Code"])
}

func (client named) instanceStatus(file int64) string {
	return text(client.call("GetDISyncInstanceInfo", map[string]string{"FileId": digits(file)}, nil)["Status"])
}

func (client named) do(action string, file int64, more map[string]string) outcome {
	query := map[string]string{"FileId": digits(file)}
	for name, value := range more {
		query[name] = value
	}
	return outcomeOf(client.call(action, query, nil))
}

func (client named) call(action string, query, form map[string]string) map[string]any {
	query["ProjectId"], query["TaskType"] = setting("PROJECT"), realtime
	return must(client.send(action, "POST", query, form)).(map[string]any)
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
