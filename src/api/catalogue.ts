import type { Operation } from './operation.ts';
import { createConnection } from './operations/create-connection.ts';
import { createDataSource } from './operations/create-data-source.ts';
import { createDiAlarmRule } from './operations/create-di-alarm-rule.ts';
import { createDiJob } from './operations/create-di-job.ts';
import { createDiSyncTask } from './operations/create-di-sync-task.ts';
import { deleteConnection } from './operations/delete-connection.ts';
import { deleteDataSource } from './operations/delete-data-source.ts';
import { deleteDiAlarmRule } from './operations/delete-di-alarm-rule.ts';
import { deleteDiJob } from './operations/delete-di-job.ts';
import { deleteDiSyncTask } from './operations/delete-di-sync-task.ts';
import { deleteFile } from './operations/delete-file.ts';
import { deployDiSyncTask } from './operations/deploy-di-sync-task.ts';
import { exportDataSources } from './operations/export-data-sources.ts';
import { generateDiSyncTaskConfigForCreating } from './operations/generate-di-sync-task-config-for-creating.ts';
import { generateDiSyncTaskConfigForUpdating } from './operations/generate-di-sync-task-config-for-updating.ts';
import { getDataSourceMeta } from './operations/get-data-source-meta.ts';
import { getDiAlarmRule } from './operations/get-di-alarm-rule.ts';
import { getDiJob } from './operations/get-di-job.ts';
import { getDiSyncInstanceInfo } from './operations/get-di-sync-instance-info.ts';
import { getDiSyncTask } from './operations/get-di-sync-task.ts';
import { getFile } from './operations/get-file.ts';
import { importDataSources } from './operations/import-data-sources.ts';
import { listConnections } from './operations/list-connections.ts';
import { listDataSources } from './operations/list-data-sources.ts';
import { listDiAlarmRules } from './operations/list-di-alarm-rules.ts';
import { listDiJobs } from './operations/list-di-jobs.ts';
import { listDiProjectConfig } from './operations/list-di-project-config.ts';
import { listFiles } from './operations/list-files.ts';
import { listRefDiSyncTasks } from './operations/list-ref-di-sync-tasks.ts';
import { queryDiSyncTaskConfigProcessResult } from './operations/query-di-sync-task-config-process-result.ts';
import { setDataSourceShare } from './operations/set-data-source-share.ts';
import { startDiJob } from './operations/start-di-job.ts';
import { startDiSyncInstance } from './operations/start-di-sync-instance.ts';
import { stopDiJob } from './operations/stop-di-job.ts';
import { stopDiSyncInstance } from './operations/stop-di-sync-instance.ts';
import { terminateDiSyncInstance } from './operations/terminate-di-sync-instance.ts';
import { testNetworkConnection } from './operations/test-network-connection.ts';
import { updateConnection } from './operations/update-connection.ts';
import { updateDataSource } from './operations/update-data-source.ts';
import { updateDiAlarmRule } from './operations/update-di-alarm-rule.ts';
import { updateDiJob } from './operations/update-di-job.ts';
import { updateDiProjectConfig } from './operations/update-di-project-config.ts';
import { updateDiSyncTask } from './operations/update-di-sync-task.ts';

/** Every operation served, in the order of use. A new one is a file in operations/ and a line here. */
export const operations: readonly Operation[] = [
  createDataSource,
  listDataSources,
  updateDataSource,
  deleteDataSource,
  exportDataSources,
  importDataSources,
  setDataSourceShare,
  getDataSourceMeta,
  testNetworkConnection,
  createConnection,
  listConnections,
  updateConnection,
  deleteConnection,
  listDiProjectConfig,
  updateDiProjectConfig,
  generateDiSyncTaskConfigForCreating,
  generateDiSyncTaskConfigForUpdating,
  queryDiSyncTaskConfigProcessResult,
  createDiSyncTask,
  updateDiSyncTask,
  getDiSyncTask,
  deployDiSyncTask,
  startDiSyncInstance,
  stopDiSyncInstance,
  terminateDiSyncInstance,
  getDiSyncInstanceInfo,
  deleteDiSyncTask,
  createDiJob,
  updateDiJob,
  getDiJob,
  listDiJobs,
  startDiJob,
  stopDiJob,
  deleteDiJob,
  createDiAlarmRule,
  updateDiAlarmRule,
  getDiAlarmRule,
  listDiAlarmRules,
  deleteDiAlarmRule,
  listRefDiSyncTasks,
  listFiles,
  getFile,
  deleteFile,
];
