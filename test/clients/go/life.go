// The whole life of a sync task, as a program of the vendor's users lives it, over one of the vendor's clients.
//
// Every step is a line of the standard output, `WHAT: what was read`. After `rows: TABLE` the program waits for a line of its
// standard input: whoever runs it has then seen the rows of the table at the target.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const realtime = "DI_REALTIME"

// api is what the life needs; each client has a file that makes one with `connect`. An error ends the program, but that of a
// list, which is held to be the right one.
type api interface {
	createDataSource(name, kind, content string) int64
	listDataSources(project, name string) ([]dataSource, error)
	deleteDataSource(id int64) bool
	planNew(taskParam string) int64
	planChange(file int64, taskParam string) int64
	processResult(process int64) (outcome, string)
	create(name, taskParam, content string) (outcome, int64)
	update(file int64, content string) outcome
	deploy(file int64) outcome
	start(file int64, startParam string) outcome
	stop(file int64) outcome
	terminate(file int64) outcome
	delete(file int64) outcome
	script(file int64) string
	instanceStatus(file int64) string
}

type dataSource struct {
	id         int64
	name, kind string
	project    int64
}

type outcome struct{ status, message string }

func setting(name string) string { return os.Getenv("CLIENT_" + name) }

func say(what string, read any) { fmt.Printf("%s: %v\n", what, read) }

func end(what string, why any) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, why)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		end("an error", err)
	}
	return value
}

func succeeded(what string, found outcome) {
	if found.status != "success" {
		end(what, found)
	}
	say(what, found.status)
}

var input = bufio.NewScanner(os.Stdin)

func awaitRows(table string) {
	say("rows", table)
	if !input.Scan() || input.Text() != "there" {
		end("rows", "those of "+table+" did not come")
	}
}

func planned(client api, process int64) string {
	for {
		found, content := client.processResult(process)
		if found.status == "running" {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		succeeded("QueryDISyncTaskConfigProcessResult", found)
		return content
	}
}

func awaitStatus(client api, file int64, wanted string) {
	for client.instanceStatus(file) != wanted {
		time.Sleep(100 * time.Millisecond)
	}
	say("GetDISyncInstanceInfo", wanted)
}

// refused holds an error to be the client's own, with the service's status and code.
func refused(what string, err error, status int, code string) {
	kind, foundStatus, foundCode := refusal(err)
	if foundStatus != status || foundCode != code {
		end(what, err)
	}
	say(what, fmt.Sprintf("%s %d %s", kind, status, code))
}

func main() {
	client := connect(setting("KEY_SECRET"))
	name, project := setting("NAME"), setting("PROJECT")

	source := client.createDataSource(name+"_mysql", "mysql", setting("MYSQL"))
	say("CreateDataSource", source)
	sink := client.createDataSource(name+"_sink", "holo", setting("SINK"))
	say("CreateDataSource", sink)
	listed := must(client.listDataSources(project, name+"_mysql"))
	number := must(strconv.ParseInt(project, 10, 64))
	if len(listed) != 1 || listed[0] != (dataSource{source, name + "_mysql", "mysql", number}) {
		end("ListDataSources", listed)
	}
	say("ListDataSources", listed[0].name)

	process := client.planNew(setting("CREATE_PARAM"))
	say("GenerateDISyncTaskConfigForCreating", process)
	created, file := client.create(name, setting("TASK_PARAM"), planned(client, process))
	succeeded("CreateDISyncTask", created)
	succeeded("DeployDISyncTask", client.deploy(file))
	succeeded("StartDISyncInstance", client.start(file, setting("START_PARAM")))
	awaitStatus(client, file, "RUN")
	awaitRows(setting("FIRST_TABLE"))

	process = client.planChange(file, setting("UPDATE_PARAM"))
	say("GenerateDISyncTaskConfigForUpdating", process)
	succeeded("UpdateDISyncTask", client.update(file, planned(client, process)))
	succeeded("DeployDISyncTask", client.deploy(file))
	awaitRows(setting("ADDED_TABLE"))
	if !strings.Contains(client.script(file), setting("ADDED_TABLE")) {
		end("GetDISyncTask", "the script does not name the added table")
	}
	say("GetDISyncTask", "names the added table")

	succeeded("StopDISyncInstance", client.stop(file))
	awaitStatus(client, file, "PAUSE")
	succeeded("TerminateDISyncInstance", client.terminate(file))
	succeeded("DeleteDISyncTask", client.delete(file))
	for _, id := range []int64{source, sink} {
		say("DeleteDataSource", client.deleteDataSource(id))
	}

	_, err := connect("wrong").listDataSources(project, name)
	refused("wrong secret", err, 400, "SignatureDoesNotMatch")
	_, err = client.listDataSources(setting("FOREIGN_PROJECT"), name)
	refused("foreign project", err, 403, "Forbidden.DI.NoPrivilege")
}
