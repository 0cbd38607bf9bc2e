import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Stage } from '../../tasks/data-source-service.ts';
import { environmentText, NAME, projectId } from '../data-source-operation.ts';
import { defineOperation } from '../define-operation.ts';
import { answerSyncTaskError } from '../errors.ts';
import { type Field, SUCCESS } from '../operation.ts';
import { text } from '../parameter.ts';

/** Beside Success, and not in Data. */
const TASK_LIST: Field = {
  name: 'TaskList',
  type: 'object',
  meaning: 'the outcome',
  fields: [
    { name: 'ConnectStatus', type: 'boolean', meaning: 'true when no stage failed' },
    {
      name: 'ConnectMessage',
      type: 'string',
      meaning: 'every stage, what was found, what to do; empty when none failed',
    },
    {
      name: 'Extend',
      type: 'string',
      meaning: 'the same as JSON: `[{ stage, outcome, found, code, remedy }]`, also when none failed',
    },
  ],
};

export const testNetworkConnection = defineOperation(
  {
    name: 'TestNetworkConnection',
    summary: 'tests the way to a data source stage by stage',
    access: 'read',
    parameters: {
      ProjectId: projectId,
      DatasourceName: NAME,
      EnvType: environmentText(''),
      ResourceGroup: text({
        meaning: 'where to test from',
        maxLength: 255,
        note: 'any is accepted: the test is made from the service itself',
      }),
    },
    notes: [
      'stages: name resolution, TCP, TLS, login, then for MySQL grants and binlog settings, for Hologres grants, for Kafka advertised brokers and grants, for MaxCompute the tunnel; 20 seconds for all',
      'a data source that the workspace does not know is ConnectStatus false',
    ],
  },
  {
    common: {},
    answer: [SUCCESS, TASK_LIST],
    run: async ({ ProjectId, DatasourceName: name, EnvType: env }, { grant, services }) => {
      const stages = await services.dataSources.stages(await grant.enter(ProjectId), { name, env });
      const isReached = stages.every(({ outcome }) => outcome !== 'failed');
      return taskList(isReached, isReached ? '' : stages.map(sentenceOf).join(' '), stages);
    },
    failed: (error) => {
      const message = answerSyncTaskError(error);
      if (typeof message !== 'string') throw message;
      return taskList(false, message, []);
    },
  },
);

function taskList(isReached: boolean, message: string, stages: readonly Stage[]): JsonObject {
  const extend = stringifyJson(stages.map((stage) => ({ ...stage })));
  return { Success: true, TaskList: { ConnectStatus: isReached, ConnectMessage: message, Extend: extend } };
}

function sentenceOf({ stage, outcome: how, found, code, remedy }: Stage): string {
  const why = [...(code === null ? [] : [code]), found].join(': ');
  return `${stage}: ${how} (${why}).${how === 'failed' && remedy !== '' ? ` ${remedy}` : ''}`;
}
