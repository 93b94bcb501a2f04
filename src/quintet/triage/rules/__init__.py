"""The signature tables, one per specialist. A new failure to be known is a new row, not new code."""
