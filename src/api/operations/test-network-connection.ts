import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Stage } from '../../tasks/data-source-service.ts';
import { TaskError } from '../../tasks/task-error.ts';
import { environmentText, NAME, projectId } from '../data-source-operation.ts';
import { answerSyncTaskError } from '../errors.ts';
import { type Operation, SUCCESS, VERSION_2020 } from '../operation.ts';
import { readParameters, text } from '../parameter.ts';

const parameters = {
  ProjectId: projectId,
  DatasourceName: NAME,
  EnvType: environmentText(''),
  ResourceGroup: text({
    meaning: 'where to test from',
    maxLength: 255,
    note: 'any is accepted: the test is made from the service itself',
  }),
};

/** Its answer is in TaskList, beside Success, and not in Data. */
export const testNetworkConnection: Operation = {
  name: 'TestNetworkConnection',
  version: VERSION_2020,
  summary: 'tests the way to a data source stage by stage',
  access: 'read',
  parameters,
  answer: [
    SUCCESS,
    {
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
    },
  ],
  notes: [
    'stages: name resolution, TCP, TLS, login, then for MySQL grants and binlog settings, for Hologres grants, for Kafka advertised brokers and grants; 20 seconds for all',
    'a data source that the workspace does not know is ConnectStatus false',
  ],
  run: async ({ parameters: given, grant, services }) => {
    const { ProjectId, DatasourceName: name, EnvType: env } = readParameters(parameters, given);
    const caller = await grant.enter(ProjectId);
    try {
      const stages = await services.dataSources.stages(caller, { name, env });
      const isReached = stages.every(({ outcome }) => outcome !== 'failed');
      return outcome(isReached, isReached ? '' : stages.map(sentenceOf).join(' '), stages);
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const refused = answerSyncTaskError(error);
      if (typeof refused !== 'string') throw refused;
      return outcome(false, refused, []);
    }
  },
};

function outcome(isReached: boolean, message: string, stages: readonly Stage[]): JsonObject {
  const extend = stringifyJson(stages.map((stage) => ({ ...stage })));
  return { Success: true, TaskList: { ConnectStatus: isReached, ConnectMessage: message, Extend: extend } };
}

function sentenceOf({ stage, outcome: how, found, code, remedy }: Stage): string {
  const why = [...(code === null ? [] : [code]), found].join(': ');
  return `${stage}: ${how} (${why}).${how === 'failed' && remedy !== '' ? ` ${remedy}` : ''}`;
}
