import static java.util.stream.Collectors.toList;

import com.aliyun.dataworks_public20200518.Client;
import com.aliyun.dataworks_public20200518.models.CreateDISyncTaskRequest;
import com.aliyun.dataworks_public20200518.models.CreateDataSourceRequest;
import com.aliyun.dataworks_public20200518.models.DeleteDISyncTaskRequest;
import com.aliyun.dataworks_public20200518.models.DeleteDataSourceRequest;
import com.aliyun.dataworks_public20200518.models.DeployDISyncTaskRequest;
import com.aliyun.dataworks_public20200518.models.GenerateDISyncTaskConfigForCreatingRequest;
import com.aliyun.dataworks_public20200518.models.GenerateDISyncTaskConfigForUpdatingRequest;
import com.aliyun.dataworks_public20200518.models.GetDISyncInstanceInfoRequest;
import com.aliyun.dataworks_public20200518.models.GetDISyncTaskRequest;
import com.aliyun.dataworks_public20200518.models.ListDataSourcesRequest;
import com.aliyun.dataworks_public20200518.models.QueryDISyncTaskConfigProcessResultRequest;
import com.aliyun.dataworks_public20200518.models.StartDISyncInstanceRequest;
import com.aliyun.dataworks_public20200518.models.StopDISyncInstanceRequest;
import com.aliyun.dataworks_public20200518.models.TerminateDISyncInstanceRequest;
import com.aliyun.dataworks_public20200518.models.UpdateDISyncTaskRequest;
import com.aliyun.tea.TeaException;
import com.aliyun.teaopenapi.models.Config;
import java.util.List;

/** com.aliyun:dataworks_public20200518: typed requests and answers, signature V3. */
final class V3 implements Api {
  private final Client client;

  private V3(String secret) throws Exception {
    client =
        new Client(
            new Config()
                .setEndpoint(Life.setting("ENDPOINT"))
                .setProtocol("http")
                .setAccessKeyId(Life.setting("KEY_ID"))
                .setAccessKeySecret(secret));
  }

  public static void main(String[] args) throws Exception {
    Life.live(V3::new);
  }

  @Override
  public Long createDataSource(String name, String kind, String content) throws Exception {
    var request = new CreateDataSourceRequest().setProjectId(Life.PROJECT).setName(name).setDataSourceType(kind);
    return client.createDataSource(request.setEnvType(1).setContent(content)).getBody().getData();
  }

  @Override
  public List<DataSource> listDataSources(long project, String name) throws Exception {
    var request = new ListDataSourcesRequest().setProjectId(project).setName(name);
    return client.listDataSources(request).getBody().getData().getDataSources().stream()
        .map(one -> new DataSource(one.getId(), one.getName(), one.getDataSourceType(), one.getProjectId()))
        .collect(toList());
  }

  @Override
  public Boolean deleteDataSource(long id) throws Exception {
    return client.deleteDataSource(new DeleteDataSourceRequest().setDataSourceId(id)).getBody().getData();
  }

  @Override
  public Long planNew(String taskParam) throws Exception {
    var request = new GenerateDISyncTaskConfigForCreatingRequest().setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME).setTaskParam(taskParam);
    return client.generateDISyncTaskConfigForCreating(request).getBody().getData().getProcessId();
  }

  @Override
  public Long planChange(long file, String taskParam) throws Exception {
    var request = new GenerateDISyncTaskConfigForUpdatingRequest().setProjectId(Life.PROJECT).setTaskId(file);
    request.setTaskType(Life.REALTIME).setTaskParam(taskParam);
    return client.generateDISyncTaskConfigForUpdating(request).getBody().getData().getProcessId();
  }

  @Override
  public Planned processResult(long process) throws Exception {
    var request = new QueryDISyncTaskConfigProcessResultRequest().setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME).setAsyncProcessId(process);
    var data = client.queryDISyncTaskConfigProcessResult(request).getBody().getData();
    return new Planned(new Outcome(data.getStatus(), data.getMessage()), data.getTaskContent());
  }

  @Override
  public Created create(String name, String taskParam, String content) throws Exception {
    var request = new CreateDISyncTaskRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    request.setTaskName(name).setTaskParam(taskParam).setTaskContent(content);
    var data = client.createDISyncTask(request).getBody().getData();
    return new Created(new Outcome(data.getStatus(), data.getMessage()), data.getFileId());
  }

  @Override
  public Outcome update(long file, String content) throws Exception {
    var request = new UpdateDISyncTaskRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.updateDISyncTask(request.setFileId(file).setTaskContent(content)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome deploy(long file) throws Exception {
    var request = new DeployDISyncTaskRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.deployDISyncTask(request.setFileId(file)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome start(long file, String startParam) throws Exception {
    var request = new StartDISyncInstanceRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.startDISyncInstance(request.setFileId(file).setStartParam(startParam)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome stop(long file) throws Exception {
    var request = new StopDISyncInstanceRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.stopDISyncInstance(request.setFileId(file)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome terminate(long file) throws Exception {
    var request = new TerminateDISyncInstanceRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.terminateDISyncInstance(request.setFileId(file)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome delete(long file) throws Exception {
    var request = new DeleteDISyncTaskRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    var data = client.deleteDISyncTask(request.setFileId(file)).getBody().getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public String script(long file) throws Exception {
    var request = new GetDISyncTaskRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    return client.getDISyncTask(request.setFileId(file)).getBody().getData().getCode();
  }

  @Override
  public String instanceStatus(long file) throws Exception {
    var request = new GetDISyncInstanceInfoRequest().setProjectId(Life.PROJECT).setTaskType(Life.REALTIME);
    return client.getDISyncInstanceInfo(request.setFileId(file)).getBody().getData().getStatus();
  }

  @Override
  public Refusal refusal(Exception error) {
    if (!(error instanceof TeaException found)) return null;
    return new Refusal("TeaException", found.getCode());
  }

  @Override
  public Refusal wrongSecret() {
    return new Refusal("TeaException", "SignatureDoesNotMatch");
  }

  @Override
  public Refusal forbidden(String code) {
    return new Refusal("TeaException", code);
  }
}
