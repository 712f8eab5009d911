"""Reads {"read": dialect, "text": ..., "columns": {table: [name, ...]}} and writes what the text is for DuckDB: {"sql": ...} or
{"error": ...}. SQL by sqlglot; of CREATE EXTERNAL TABLE, a table with the same columns, the partitions' too. Kusto's language,
`kusto`, by duckdb-kql, which has to know the tables' columns."""
import json
import sys

import duckdb_kql
import sqlglot
from sqlglot import exp


def from_sql(text, read):
    tree = sqlglot.parse_one(text, read=read, error_level=sqlglot.ErrorLevel.RAISE)
    if isinstance(tree, exp.Create):
        schema = tree.this
        partitions = tree.find(exp.PartitionedByProperty)
        columns = schema.expressions + (partitions.this.expressions if partitions else [])
        tree = exp.Create(this=exp.Schema(this=schema.this, expressions=columns), kind="TABLE")
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def answer(text, read, columns=None):
    try:
        return {"sql": str(duckdb_kql.to_sql(text, schema=columns)) if read == "kusto" else from_sql(text, read)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


json.dump(answer(**json.load(sys.stdin)), sys.stdout)
