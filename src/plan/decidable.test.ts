import { describe, expect, it } from "vitest";
import { splitSql } from "../sql/split.ts";
