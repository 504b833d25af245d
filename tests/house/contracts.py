# SPDX-License-Identifier: Apache-2.0
"""An import contract of our own: each app's models are imported by that app alone."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PrivateModels(Contract):
    """`PACKAGE.APP.models` has importers in `PACKAGE.APP` only; holds for new apps too."""

    type_name = "private_models"
    package = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        del verbose
        package = str(self.package)
        strangers = [
            f"{importer} imports {module}"
            for app in sorted(graph.find_children(package))
            for module in _models_of(app, graph)
            for importer in sorted(graph.find_modules_that_directly_import(module))
            if not importer.startswith(f"{app}.")
        ]
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["strangers"]:
            output.print_error(line, bold=False)
            output.new_line()


def _models_of(app: str, graph: ImportGraph) -> list[str]:
    models = f"{app}.models"
    if models not in graph.modules:
        return []
    return [models, *sorted(graph.find_descendants(models))]
