"""The names in the default world. Nobody in it is real."""

from __future__ import annotations

ROOT = "demo-org"
PEOPLE = (
    ("em_maple", "Em Maple"),
    ("pm_oak", "Pim Oak"),
    ("set_pine", "Sette Pine"),
    ("eng_alder", "Enga Alder"),
    ("eng_birch", "Engo Birch"),
    ("eng_cedar", "Engi Cedar"),
    ("eng_dogwood", "Engu Dogwood"),
    ("eng_elm", "Enge Elm"),
    ("triage_bot", "Triage Bot"),
)
# Path, name, and how many of the issues it holds.
PROJECTS = (
    ("platform", "Platform", 40),
    ("ai/ai-gateway", "AI Gateway", 22),
    ("ai/runtime/inference-server", "Inference server", 12),
    ("ai/model-registry", "Model registry", 9),
    ("custom-models", "Custom models", 9),
    ("charts/gateway-chart", "Gateway chart", 4),
    ("docs/handbook", "Handbook", 3),
)
# A project in which the engineering manager is only a guest.
REFUSING = "partners/reference-models"

FLOW_LABELS = (
    "validation backlog",
    "problem validation",
    "ready for design",
    "design",
    "solution validation",
    "planning breakdown",
    "scheduling",
    "refinement",
    "ready for development",
    "in dev",
    "in review",
    "blocked",
    "verification",
    "awaiting security release",
    "complete",
)
SUBTYPES = {
    "bug": ("performance", "availability", "vulnerability", "functional", "ux", "transient"),
    "feature": ("addition", "enhancement", "consolidation"),
    "maintenance": (
        "refactor", "removal", "dependency", "scalability", "usability", "test-gap", "pipelines", "workflow",
        "performance",
    ),
}  # fmt: skip
TYPES = ("bug", "feature", "maintenance")
CATEGORIES = ("Category:Model personalization", "Category:Self-Hosted models")
ORGANISATION = ("group::custom models", "devops::ai-powered", "section::data science")

LABELS: tuple[tuple[str, str, str | None], ...] = (
    ("group::custom models", "#a8d695", "Issues of the Custom Models group"),
    ("group::model serving", "#a8d695", None),
    ("devops::ai-powered", "#e44d2a", None),
    ("section::data science", "#5843ad", None),
    *((name, "#c5def5", None) for name in CATEGORIES),
    ("type::bug", "#dc143c", "Something does not work"),
    ("type::feature", "#6699cc", "Something new"),
    ("type::maintenance", "#d1d100", "Upkeep"),
    ("type::ignore", "#808080", "Counts nowhere"),
    *((f"{kind}::{name}", "#f0ad4e", None) for kind, names in SUBTYPES.items() for name in names),
    *((f"workflow::{name}", "#428bca", None) for name in FLOW_LABELS),
    *((f"priority::{number}", "#ff4433" if number == 1 else "#ad8d43", None) for number in range(1, 5)),
    *((f"severity::{number}", "#cc338b" if number == 1 else "#9400d3", None) for number in range(1, 5)),
    ("Deliverable", "#428bca", "Accepted into the milestone"),
    ("missed-deliverable", "#d9534f", None),
    ("Planning Issue", "#ffecdb", None),
    ("spike", "#cccccc", "Research with a stated scope"),
    ("documentation", "#ffd700", None),
    ("customer", "#8e44ad", None),
    ("customer+", "#8e44ad", None),
    ("security", "#000000", None),
    ("frontend", "#7f8c8d", None),
    ("backend", "#34495e", None),
    ("Quality", "#44ad8e", None),
    ("Stretch", "#69d100", None),
    ("quick win [small]", "#009966", "A label with brackets"),
)
