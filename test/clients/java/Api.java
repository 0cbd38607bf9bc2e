import java.util.List;

/** What the life needs; each client has a class that gives it. Errors: the client's own exceptions. */
interface Api {
  record Outcome(String status, String message) {}

  record Planned(Outcome outcome, String content) {}

  record Created(Outcome outcome, Long file) {}

  record DataSource(long id, String name, String kind, long project) {}

  /** How the client tells a refusal: neither keeps the status in a field. */
  record Refusal(String kind, String code) {}

  Long createDataSource(String name, String kind, String content) throws Exception;

  List<DataSource> listDataSources(long project, String name) throws Exception;

  Boolean deleteDataSource(long id) throws Exception;

  Long planNew(String taskParam) throws Exception;

  Long planChange(long file, String taskParam) throws Exception;

  Planned processResult(long process) throws Exception;

  Created create(String name, String taskParam, String content) throws Exception;

  Outcome update(long file, String content) throws Exception;

  Outcome deploy(long file) throws Exception;

  Outcome start(long file, String startParam) throws Exception;

  Outcome stop(long file) throws Exception;

  Outcome terminate(long file) throws Exception;

  Outcome delete(long file) throws Exception;

  String script(long file) throws Exception;

  String instanceStatus(long file) throws Exception;

  Refusal refusal(Exception error);

  /** What the client makes of SignatureDoesNotMatch. */
  Refusal wrongSecret();

  /** What the client makes of 403 with this code. */
  Refusal forbidden(String code);
}
