/** SQLSTATE codes by PostgreSQL's condition names (manual, appendix A), as far as decisions rest on them. */
export const SQLSTATE = {
  activeSqlTransaction: "25001",
  readOnlySqlTransaction: "25006",
  inFailedSqlTransaction: "25P02",
  invalidTransactionTermination: "2D000",
  divisionByZero: "22012",
  untranslatableCharacter: "22P05",
  uniqueViolation: "23505",
  undefinedTable: "42P01",
  undefinedColumn: "42703",
  undefinedFunction: "42883",
  invalidSchemaName: "3F000",
  duplicateSchema: "42P06",
  duplicateTable: "42P07",
  duplicateFunction: "42723",
  duplicateColumn: "42701",
  duplicateDatabase: "42P04",
  duplicateObject: "42710",
  insufficientPrivilege: "42501",
  wrongObjectType: "42809",
  deadlockDetected: "40P01",
  serializationFailure: "40001",
  lockNotAvailable: "55P03",
  queryCanceled: "57014",
  adminShutdown: "57P01",
  crashShutdown: "57P02",
  cannotConnectNow: "57P03",
  idleInTransactionTimeout: "25P03",
  transactionTimeout: "25P04",
  databaseDropped: "57P04",
  idleSessionTimeout: "57P05",
  diskFull: "53100",
  dataCorrupted: "XX001",
  indexCorrupted: "XX002",
} as const;

/** Whether a failed statement may be tried again once its transaction was rolled back whole. */
export function isRetryableInTransaction(sqlstate: string | undefined): boolean {
  return (
    sqlstate === SQLSTATE.lockNotAvailable ||
    sqlstate === SQLSTATE.deadlockDetected ||
    // "Retry the complete transaction" (manual 13.5).
    sqlstate === SQLSTATE.serializationFailure
  );
}
