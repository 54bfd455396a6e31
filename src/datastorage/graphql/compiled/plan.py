"""What an operation selects, for one outcome of its `@skip` and `@include`."""

from __future__ import annotations

from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from datastorage.graphql.compiled.calls import Call
from datastorage.graphql.compiled.unsupported import Unsupported


class Plan:
    """Selections, collected once by graphql-core itself, and a generated function wherever one is possible."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDetails],
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self._schema, self._fragments, self._operation = schema, fragments, operation
        # Selections depend on variables by these conditions only, and so they can be kept without the others.
        self._variables = variables
        root_type = schema.get_root_type(operation.operation)
        if root_type is None:
            raise Unsupported("no such root")
        self.root_type = root_type
        self.is_mutation = operation.operation is OperationType.MUTATION
        self.root_fields: GroupedFieldSet = collect_fields(
            schema, fragments, variables, root_type, operation
        ).grouped_field_set
        self._selected: dict[tuple[str, int], CollectedFields] = {}
        self._calls: dict[tuple[str, int], Call | None] = {}

    def selected(self, of: GraphQLObjectType, by: FieldDetailsList) -> CollectedFields:
        """What is selected of an object; `by` are lists of this plan, so that their identity names them."""
        key = (of.name, id(by))
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = collect_subfields(
                self._schema, self._fragments, self._variables, self._operation, of, by
            )
        return found

    def call(self, parent: GraphQLObjectType, by: FieldDetailsList) -> Call | None:
        """How to ask the resolver of a field; None where Strawberry and graphql-core do that."""
        key = (parent.name, id(by))
        if key not in self._calls:
            try:
                self._calls[key] = Call(self._schema, parent, by, self.selected, self._called)
            except (
                Unsupported,
                GraphQLError,
            ):  # a condition without a value is met again, and told, in its place
                self._calls[key] = None
        return self._calls[key]

    def _called(self, parent: GraphQLObjectType, by: FieldDetailsList) -> Call:
        call = self.call(parent, by)
        if call is None:
            raise Unsupported(by[0].node.name.value)
        return call
