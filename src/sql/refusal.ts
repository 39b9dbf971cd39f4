import type { Node, TransactionStmt, VariableSetStmt } from "libpg-query";
import { commandTag } from "./command-tag.ts";

/** Why a statement that is right SQL cannot be in a migration, and what to do; null if it can. */
export function refusal(node: Node): { readonly message: string; readonly hint: string } | null {
  if ("TransactionStmt" in node) return transactionRefusal(node.TransactionStmt);
  if ("CopyStmt" in node) {
    const { is_from: isFrom, filename, is_program: isProgram } = node.CopyStmt;
    if (isFrom !== true || filename !== undefined || isProgram === true) return null;
    return {
      message: "COPY … FROM stdin reads its rows from a client, and a migration has none",
      hint: "write INSERT, COPY … FROM a file or PROGRAM of the server, or a code migration",
    };
  }
  if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") {
    return {
      message: "DISCARD ALL would release the lock that keeps other runs out",
      hint: "write what is meant: RESET ALL, DEALLOCATE ALL, DISCARD TEMP; Godwit cleans its session after each migration anyway",
    };
  }
  if ("VariableSetStmt" in node && isOtherEncoding(node.VariableSetStmt)) {
    return {
      message: "client_encoding must stay UTF8, in which migrations are written and the history is kept",
      hint: "remove it; the server converts to the encoding of the database by itself",
    };
  }
  return null;
}

/** What follows would be read in another encoding than it is written in, the texts of the history included. */
function isOtherEncoding({ kind, name, args }: VariableSetStmt): boolean {
  if (kind !== "VAR_SET_VALUE" || name?.toLowerCase() !== "client_encoding") return false;
  const value = args?.[0];
  const encoding = value !== undefined && "A_Const" in value ? value.A_Const.sval?.sval : undefined;
  return !/^(?:utf_?8|unicode)$/.test((encoding ?? "").toLowerCase().replaceAll("-", ""));
}

function transactionRefusal(statement: TransactionStmt): { readonly message: string; readonly hint: string } {
  const { kind = "TRANS_STMT_BEGIN" } = statement;
  const tag = kind === "TRANS_STMT_ROLLBACK_TO" ? "ROLLBACK TO" : commandTag({ TransactionStmt: statement });
  if (SAVEPOINTS.has(kind)) {
    return {
      message: `${tag}: Godwit itself makes the transaction of a migration, and keeps no savepoints`,
      hint: "remove it; where a failure is to be borne, use `DO $$ BEGIN … EXCEPTION … END $$`",
    };
  }
  if (kind.includes("PREPARE")) {
    return {
      message: `${tag} is no part of a migration`,
      hint: "remove it, and do it in a session of your own",
    };
  }
  return {
    message: `${tag}: Godwit itself makes the transaction of a migration`,
    hint: "remove it; a file whose statements need no transaction says `-- godwit:transaction off`",
  };
}

const SAVEPOINTS: ReadonlySet<string> = new Set([
  "TRANS_STMT_SAVEPOINT",
  "TRANS_STMT_RELEASE",
  "TRANS_STMT_ROLLBACK_TO",
]);
