"""The whole life of a sync task, as a script of the vendor's users lives it, over one of the vendor's clients.

Every step is a line of the standard output, `WHAT: what was read`. After `rows: TABLE` the script waits for a line of its
standard input: whoever runs it has then seen the rows of the table at the target.
"""

import os
import sys
import time


def setting(name):
    return os.environ["CLIENT_" + name]


PROJECT = int(setting("PROJECT"))


def say(what, read):
    print(f"{what}: {read}", flush=True)


def await_rows(table):
    say("rows", table)
    if sys.stdin.readline().strip() != "there":
        sys.exit(f"the rows of {table} did not come")


def read(what, value, kind):
    """A value of an answer, held to the type that the client promises."""
    if type(value) is not kind:
        sys.exit(f"{what}: {value!r} is no {kind.__name__}")
    return value


def succeeded(what, status, message):
    if status != "success":
        sys.exit(f"{what}: {status}: {message}")
    say(what, status)


def planned(api, process):
    """Polls a plan to its end; gives the task's content."""
    while True:
        status, message, content = api.process_result(read("ProcessId", process, int))
        if status == "running":
            time.sleep(0.1)
            continue
        succeeded("QueryDISyncTaskConfigProcessResult", status, message)
        return read("TaskContent", content, str)


def await_status(api, file, wanted):
    while api.instance_status(file) != wanted:
        time.sleep(0.1)
    say("GetDISyncInstanceInfo", wanted)


def refused(what, status, code, call):
    """The client's own exception, with the service's status and code."""
    try:
        call()
    except Exception as error:
        found = getattr(error, "code", None) or getattr(error, "error_code", None)
        found_status = getattr(error, "status_code", None) or getattr(error, "http_status", None)
        if (found_status, found) != (status, code):
            raise
        say(what, f"{type(error).__name__} {status} {code}")
    else:
        sys.exit(f"{what}: was not refused")


def live(connect):
    """`connect(secret)` gives an api."""
    api = connect(setting("KEY_SECRET"))
    name = setting("NAME")

    sources = []
    for end, kind in (("mysql", "mysql"), ("sink", "holo")):
        source = api.create_data_source(f"{name}_{end}", kind, setting(end.upper()))
        sources.append(read("Data", source, int))
        say("CreateDataSource", source)
    listed = api.list_data_sources(f"{name}_mysql")
    if listed != [(sources[0], f"{name}_mysql", "mysql", PROJECT)]:
        sys.exit(f"listed {listed}")
    say("ListDataSources", listed[0][1])

    process = api.plan_new(setting("CREATE_PARAM"))
    say("GenerateDISyncTaskConfigForCreating", process)
    status, message, file = api.create(name, setting("TASK_PARAM"), planned(api, process))
    succeeded("CreateDISyncTask", status, message)
    read("FileId", file, int)
    succeeded("DeployDISyncTask", *api.deploy(file))
    succeeded("StartDISyncInstance", *api.start(file, setting("START_PARAM")))
    await_status(api, file, "RUN")
    await_rows(setting("FIRST_TABLE"))

    process = api.plan_change(file, setting("UPDATE_PARAM"))
    say("GenerateDISyncTaskConfigForUpdating", process)
    succeeded("UpdateDISyncTask", *api.update(file, planned(api, process)))
    succeeded("DeployDISyncTask", *api.deploy(file))
    await_rows(setting("ADDED_TABLE"))
    if setting("ADDED_TABLE") not in read("Code", api.script(file), str):
        sys.exit("the script does not name the added table")
    say("GetDISyncTask", "names the added table")

    succeeded("StopDISyncInstance", *api.stop(file))
    await_status(api, file, "PAUSE")
    succeeded("TerminateDISyncInstance", *api.terminate(file))
    succeeded("DeleteDISyncTask", *api.delete(file))
    for source in sources:
        say("DeleteDataSource", read("Data", api.delete_data_source(source), bool))

    refused("wrong secret", 400, api.WRONG_SECRET, lambda: connect("wrong").list_data_sources(name))
    foreign = int(setting("FOREIGN_PROJECT"))
    refused("foreign project", 403, "Forbidden.DI.NoPrivilege", lambda: api.list_data_sources(name, foreign))
