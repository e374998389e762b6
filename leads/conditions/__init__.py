"""Define conditions on leads: a typed JSON tree, checked and compiled once, evaluated to yes, no or unknown.

`{"all": [{"field": "state", "op": "in", "value": ["CA", "OR"]}, {"not": {"field": "email", "op": "exists"}}]}`

A missing value is unknown, and what depends on it is unknown as well: `not unknown` is unknown. Only a yes is a match.
"""

from leads.conditions.compiler import Condition, compile_condition
from leads.conditions.errors import ConditionError
from leads.conditions.fields import FIELDS, UNREAD_COLUMNS, Field, LeadValues

__all__ = ["FIELDS", "UNREAD_COLUMNS", "Condition", "ConditionError", "Field", "LeadValues", "compile_condition"]
