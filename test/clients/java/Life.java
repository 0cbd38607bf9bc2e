import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;

/**
 * The whole life of a sync task, as a program of the vendor's users lives it, over one of the vendor's clients.
 *
 * <p>Every step is a line of the standard output, `WHAT: what was read`. After `rows: TABLE` the program waits for a line of its
 * standard input: whoever runs it has then seen the rows of the table at the target.
 */
final class Life {
  interface Connect {
    Api with(String secret) throws Exception;
  }

  interface Call {
    void run() throws Exception;
  }

  static final String REALTIME = "DI_REALTIME";
  static final long PROJECT = Long.parseLong(setting("PROJECT"));

  private static final BufferedReader INPUT = new BufferedReader(new InputStreamReader(System.in));

  private Life() {}

  static String setting(String name) {
    return System.getenv("CLIENT_" + name);
  }

  static void live(Connect connect) throws Exception {
    Api api = connect.with(setting("KEY_SECRET"));
    String name = setting("NAME");

    long source = api.createDataSource(name + "_mysql", "mysql", setting("MYSQL"));
    say("CreateDataSource", source);
    long sink = api.createDataSource(name + "_sink", "holo", setting("SINK"));
    say("CreateDataSource", sink);
    List<Api.DataSource> listed = api.listDataSources(PROJECT, name + "_mysql");
    if (!listed.equals(List.of(new Api.DataSource(source, name + "_mysql", "mysql", PROJECT))))
      throw new IllegalStateException("listed " + listed);
    say("ListDataSources", listed.get(0).name());

    long process = api.planNew(setting("CREATE_PARAM"));
    say("GenerateDISyncTaskConfigForCreating", process);
    Api.Created created = api.create(name, setting("TASK_PARAM"), planned(api, process));
    succeeded("CreateDISyncTask", created.outcome());
    long file = created.file();
    succeeded("DeployDISyncTask", api.deploy(file));
    succeeded("StartDISyncInstance", api.start(file, setting("START_PARAM")));
    awaitStatus(api, file, "RUN");
    awaitRows(setting("FIRST_TABLE"));

    process = api.planChange(file, setting("UPDATE_PARAM"));
    say("GenerateDISyncTaskConfigForUpdating", process);
    succeeded("UpdateDISyncTask", api.update(file, planned(api, process)));
    succeeded("DeployDISyncTask", api.deploy(file));
    awaitRows(setting("ADDED_TABLE"));
    if (!api.script(file).contains(setting("ADDED_TABLE")))
      throw new IllegalStateException("the script does not name the added table");
    say("GetDISyncTask", "names the added table");

    succeeded("StopDISyncInstance", api.stop(file));
    awaitStatus(api, file, "PAUSE");
    succeeded("TerminateDISyncInstance", api.terminate(file));
    succeeded("DeleteDISyncTask", api.delete(file));
    for (long id : List.of(source, sink)) say("DeleteDataSource", api.deleteDataSource(id));

    Api wrong = connect.with("wrong");
    refused("wrong secret", api, api.wrongSecret(), () -> wrong.listDataSources(PROJECT, name));
    long foreign = Long.parseLong(setting("FOREIGN_PROJECT"));
    Api.Refusal forbidden = api.forbidden("Forbidden.DI.NoPrivilege");
    refused("foreign project", api, forbidden, () -> api.listDataSources(foreign, name));
    // The clients keep threads of their own.
    System.exit(0);
  }

  private static void say(String what, Object read) {
    System.out.println(what + ": " + read);
  }

  private static void succeeded(String what, Api.Outcome outcome) {
    if (!outcome.status().equals("success")) throw new IllegalStateException(what + ": " + outcome);
    say(what, outcome.status());
  }

  private static String planned(Api api, long process) throws Exception {
    while (true) {
      Api.Planned found = api.processResult(process);
      if (found.outcome().status().equals("running")) {
        Thread.sleep(100);
        continue;
      }
      succeeded("QueryDISyncTaskConfigProcessResult", found.outcome());
      return found.content();
    }
  }

  private static void awaitStatus(Api api, long file, String wanted) throws Exception {
    while (!wanted.equals(api.instanceStatus(file))) Thread.sleep(100);
    say("GetDISyncInstanceInfo", wanted);
  }

  private static void awaitRows(String table) throws Exception {
    say("rows", table);
    if (!"there".equals(INPUT.readLine())) throw new IllegalStateException("the rows of " + table + " did not come");
  }

  private static void refused(String what, Api api, Api.Refusal expected, Call call) throws Exception {
    try {
      call.run();
    } catch (Exception error) {
      Api.Refusal found = api.refusal(error);
      if (!expected.equals(found)) throw error;
      say(what, found.kind() + " " + found.code());
      return;
    }
    throw new IllegalStateException(what + ": was not refused");
  }
}
