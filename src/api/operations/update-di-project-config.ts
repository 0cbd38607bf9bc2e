import { jsonObject } from '../parameter.ts';
import { CONFIG_SCOPE } from '../project-config.ts';
import { projectOperation } from '../project-operation.ts';

export const updateDiProjectConfig = projectOperation({
  name: 'UpdateDIProjectConfig',
  summary: 'replaces what a project says of DDL',
  access: 'write',
  parameters: {
    ...CONFIG_SCOPE,
    ProjectConfig: jsonObject({
      meaning:
        'CREATETABLE, DROPTABLE, RENAMETABLE, TRUNCATETABLE, ADDCOLUMN, DROPCOLUMN, RENAMECOLUMN, MODIFYCOLUMN, each NORMAL, IGNORE, WARNING or CRITICAL',
      note: 'kinds left out are those of every source again, else built in',
      maxLength: 65_536,
    }),
  },
  data: [{ name: 'Status', type: 'string', meaning: 'success' }],
  notes: [
    'a run takes it at its start, under StartParam.ddlMarkMap, and keeps it until it is stopped and started again: neither a change of it, nor a deploy, nor a restart of the service reaches a task that runs',
  ],
  handle: async ({ parameters, caller, services }) => {
    const scope = { sinkType: parameters.DestinationType, sourceType: parameters.SourceType };
    await services.projectConfigs.replaceDdlPolicies(caller, scope, parameters.ProjectConfig);
    return { Status: 'success' };
  },
});
