import { stringifyJson } from '../../lib/json.ts';
import { CONFIG_SCOPE } from '../project-config.ts';
import { projectOperation } from '../project-operation.ts';

export const listDiProjectConfig = projectOperation({
  name: 'ListDIProjectConfig',
  summary: 'reads what a project says of DDL',
  access: 'read',
  parameters: CONFIG_SCOPE,
  data: [
    {
      name: 'Config',
      type: 'string',
      meaning:
        'JSON: each kind of DDL with its policy, as a run would take it now: from this source and destination, else from every source, else built in (ADDCOLUMN NORMAL, all else WARNING)',
    },
  ],
  handle: async ({ parameters, caller, services }) => {
    const scope = { sinkType: parameters.DestinationType, sourceType: parameters.SourceType };
    return { Config: stringifyJson(await services.projectConfigs.ddlPolicies(caller, scope)) };
  },
});
