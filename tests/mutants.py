"""Small changes to the engine, and whether the tests notice them."""

import libcst as cst
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation


def mutate_decorated_functions():
    """mutmut passes over decorated functions: here all properties and queueing functions.

    Their decorators go with the function that picks the mutant, and only with that one.
    """
    skipped = file_mutation.MutationVisitor._skip_node_and_children
    arranged = file_mutation.function_trampoline_arrangement

    def skip(self, node):
        if isinstance(node, cst.FunctionDef):
            node = node.with_changes(decorators=())
        return skipped(self, node)

    def arrange(function, mutants, class_name):
        before, (picking, *picked), after, names = arranged(function, mutants, class_name)
        bare = [copy.with_changes(decorators=()) for copy in picked]
        return before, [picking, *bare], after, names

    file_mutation.MutationVisitor._skip_node_and_children = skip
    file_mutation.function_trampoline_arrangement = arrange


if __name__ == "__main__":
    mutate_decorated_functions()
    mutmut.cli()
