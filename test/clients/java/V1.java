import static java.util.stream.Collectors.toList;

import com.aliyuncs.AcsResponse;
import com.aliyuncs.DefaultAcsClient;
import com.aliyuncs.RpcAcsRequest;
import com.aliyuncs.dataworks_public.model.v20200518.CreateDISyncTaskRequest;
import com.aliyuncs.dataworks_public.model.v20200518.CreateDataSourceRequest;
import com.aliyuncs.dataworks_public.model.v20200518.DeleteDISyncTaskRequest;
import com.aliyuncs.dataworks_public.model.v20200518.DeleteDataSourceRequest;
import com.aliyuncs.dataworks_public.model.v20200518.DeployDISyncTaskRequest;
import com.aliyuncs.dataworks_public.model.v20200518.GenerateDISyncTaskConfigForCreatingRequest;
import com.aliyuncs.dataworks_public.model.v20200518.GenerateDISyncTaskConfigForUpdatingRequest;
import com.aliyuncs.dataworks_public.model.v20200518.GetDISyncInstanceInfoRequest;
import com.aliyuncs.dataworks_public.model.v20200518.GetDISyncTaskRequest;
import com.aliyuncs.dataworks_public.model.v20200518.ListDataSourcesRequest;
import com.aliyuncs.dataworks_public.model.v20200518.QueryDISyncTaskConfigProcessResultRequest;
import com.aliyuncs.dataworks_public.model.v20200518.StartDISyncInstanceRequest;
import com.aliyuncs.dataworks_public.model.v20200518.StopDISyncInstanceRequest;
import com.aliyuncs.dataworks_public.model.v20200518.TerminateDISyncInstanceRequest;
import com.aliyuncs.dataworks_public.model.v20200518.UpdateDISyncTaskRequest;
import com.aliyuncs.exceptions.ClientException;
import com.aliyuncs.http.ProtocolType;
import com.aliyuncs.profile.DefaultProfile;
import java.util.List;

/** com.aliyun:aliyun-java-sdk-dataworks-public: typed requests and answers, signature V1. */
final class V1 implements Api {
  private final DefaultAcsClient client;

  private V1(String secret) {
    client = new DefaultAcsClient(DefaultProfile.getProfile("any-region", Life.setting("KEY_ID"), secret));
  }

  public static void main(String[] args) throws Exception {
    Life.live(V1::new);
  }

  private <T extends AcsResponse> T sent(RpcAcsRequest<T> request) throws ClientException {
    request.setSysEndpoint(Life.setting("ENDPOINT"));
    request.setSysProtocol(ProtocolType.HTTP);
    return client.getAcsResponse(request);
  }

  @Override
  public Long createDataSource(String name, String kind, String content) throws Exception {
    var request = new CreateDataSourceRequest();
    request.setProjectId(Life.PROJECT);
    request.setName(name);
    request.setDataSourceType(kind);
    request.setEnvType(1);
    request.setContent(content);
    return sent(request).getData();
  }

  @Override
  public List<DataSource> listDataSources(long project, String name) throws Exception {
    var request = new ListDataSourcesRequest();
    request.setProjectId(project);
    request.setName(name);
    return sent(request).getData().getDataSources().stream()
        .map(one -> new DataSource(one.getId(), one.getName(), one.getDataSourceType(), one.getProjectId()))
        .collect(toList());
  }

  @Override
  public Boolean deleteDataSource(long id) throws Exception {
    var request = new DeleteDataSourceRequest();
    request.setDataSourceId(id);
    return sent(request).getData();
  }

  @Override
  public Long planNew(String taskParam) throws Exception {
    var request = new GenerateDISyncTaskConfigForCreatingRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setTaskParam(taskParam);
    return sent(request).getData().getProcessId();
  }

  @Override
  public Long planChange(long file, String taskParam) throws Exception {
    var request = new GenerateDISyncTaskConfigForUpdatingRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setTaskId(file);
    request.setTaskParam(taskParam);
    return sent(request).getData().getProcessId();
  }

  @Override
  public Planned processResult(long process) throws Exception {
    var request = new QueryDISyncTaskConfigProcessResultRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setAsyncProcessId(process);
    var data = sent(request).getData();
    return new Planned(new Outcome(data.getStatus(), data.getMessage()), data.getTaskContent());
  }

  @Override
  public Created create(String name, String taskParam, String content) throws Exception {
    var request = new CreateDISyncTaskRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setTaskName(name);
    request.setTaskParam(taskParam);
    request.setTaskContent(content);
    var data = sent(request).getData();
    return new Created(new Outcome(data.getStatus(), data.getMessage()), data.getFileId());
  }

  @Override
  public Outcome update(long file, String content) throws Exception {
    var request = new UpdateDISyncTaskRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    request.setTaskContent(content);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome deploy(long file) throws Exception {
    var request = new DeployDISyncTaskRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome start(long file, String startParam) throws Exception {
    var request = new StartDISyncInstanceRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    request.setStartParam(startParam);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome stop(long file) throws Exception {
    var request = new StopDISyncInstanceRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome terminate(long file) throws Exception {
    var request = new TerminateDISyncInstanceRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public Outcome delete(long file) throws Exception {
    var request = new DeleteDISyncTaskRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    var data = sent(request).getData();
    return new Outcome(data.getStatus(), data.getMessage());
  }

  @Override
  public String script(long file) throws Exception {
    var request = new GetDISyncTaskRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    return sent(request).getData().getCode();
  }

  @Override
  public String instanceStatus(long file) throws Exception {
    var request = new GetDISyncInstanceInfoRequest();
    request.setProjectId(Life.PROJECT);
    request.setTaskType(Life.REALTIME);
    request.setFileId(file);
    return sent(request).getData().getStatus();
  }

  @Override
  public Refusal refusal(Exception error) {
    if (!(error instanceof ClientException found)) return null;
    return new Refusal(found.getClass().getSimpleName(), found.getErrCode());
  }

  @Override
  public Refusal wrongSecret() {
    // The client's word for it, when the string that the service signed is the one that it signed itself.
    return new Refusal("ClientException", "SDK.InvalidAccessKeySecret");
  }

  @Override
  public Refusal forbidden(String code) {
    return new Refusal("ClientException", code);
  }
}
