import { createRequire } from 'node:module';
import type * as OpenApiModule from '@alicloud/openapi-client';

type Client = OpenApiModule.default;

// The vendor's client is CommonJS with a default export inside.
const OpenApi = createRequire(import.meta.url)('@alicloud/openapi-client') as typeof OpenApiModule.default;

type Answer = Readonly<Record<string, unknown>>;

/** Calls the API with the vendor's own client; the only thing that differs from the cloud is the endpoint. */
export class Api {
  readonly #client: Client;
  readonly #project: number;

  constructor(endpoint: string, project: number) {
    this.#project = project;
    this.#client = new OpenApi.default(
      new OpenApi.Config({ endpoint, protocol: 'http', accessKeyId: 'quickstart', accessKeySecret: 'quickstart' }),
    );
  }

  /** The answer's body. Errors: the client's own, for an error answer; Error when Data.Status is fail. */
  async call(
    action: string,
    query: Readonly<Record<string, string | number>>,
    form: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const params = new OpenApi.Params({
      action,
      version: '2020-05-18',
      protocol: 'HTTP',
      method: 'POST',
      authType: 'AK',
      style: 'RPC',
      pathname: '/',
      reqBodyType: 'formData',
      bodyType: 'json',
    });
    const request = new OpenApi.OpenApiRequest({
      query: Object.fromEntries(
        Object.entries({ ProjectId: this.#project, ...query }).map(([name, value]) => [name, String(value)]),
      ),
      body: form,
    });
    // The client takes the first for any silence, also that before an answer.
    const runtime = { connectTimeout: 30_000, readTimeout: 30_000 };
    const answer = (await this.#client.callApi(params, request, runtime as never)) as { body: Answer };
    const data = answer.body['Data'] as { Status?: string; Message?: string } | undefined;
    if (data?.Status === 'fail') throw new Error(`${action}: ${data.Message}`);
    return answer.body;
  }

  /** Polls a config process to its end and gives its result. */
  async result(process: number, taskType = 'DI_REALTIME'): Promise<{ TaskContent: string; Plan: string }> {
    for (;;) {
      const body = await this.call('QueryDISyncTaskConfigProcessResult', {
        TaskType: taskType,
        AsyncProcessId: process,
      });
      const data = body['Data'] as { Status: string; TaskContent: string; Plan: string };
      if (data.Status === 'success') return data;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
