"""Invented issue titles about self-hosted models: plausible, all different, some of them awkward."""

from __future__ import annotations

from math import gcd


def _words(text: str) -> tuple[str, ...]:
    return tuple(" ".join(one.split()) for one in text.split(";"))


_THINGS = _words("""
    model endpoint selection; the chat footer; the prompt cache; token accounting; the licence
    check; model card import; streaming answers; the connection test; the embedding queue; code
    suggestion context; the region switch; adapter registration; the usage report; quota
    enforcement; the fallback chain; certificate loading; the endpoint wizard; credential rotation;
    feature assignment; the model picker; request signing; the evaluation runner; context window
    detection; batch inference; the model registry; answer citations; warm-up of replicas; the
    health dashboard; prompt templates; log redaction; response filtering; seat assignment; the
    offline bundle; the proxy configuration; trace export; version pinning; temperature settings;
    the settings export; key lookup; the model comparison
""")
_BUG = (
    _words("""
    Crash in; Wrong total in; Time-out while opening; Stale data in; Empty answer from; Double retry
    in; Missing audit entry for; Error message leaks out of; Memory grows in; Race in; Permission
    check skipped in; Wrong time zone in; Broken pagination of; Lost setting in; Unreadable contrast
    in; Slow start of; Health check fails for; Truncated stream from; Wrong status shown by;
    Encoding error in; Silent failure of; Flaky behaviour of; Misleading hint in; Deadlock in;
    Off-by-one in
    """),
    _THINGS,
    _words("""
    when the endpoint is behind a proxy; on an instance without internet; after an upgrade; with two
    endpoints of one name; for a project in a subgroup; when the token expires mid-request; with a
    quantised model; for read-only users; on small screens; when the answer is empty; under high
    load; with a custom certificate authority; after a failed migration; for archived projects; when
    the model is renamed; with IPv6 only; if the cache is cold; for very long prompts; when
    streaming is switched off; in air-gapped mode; after the clock was changed; with a slow disk;
    when the queue is full; for bot users; with non-Latin input; behind a load balancer; when two
    people save at once; if the region is unknown; with an old agent; after a rollback; when logging
    is off; for a model without a card; on the first request of the day; with 8-bit weights; when
    the list has one entry; for guests; if the name has spaces; with a trailing slash; when retries
    are used up; in the second tab; after switching groups; with a stale session; on ARM machines;
    for nested templates; when the worker restarts; with a read replica; if two adapters match;
    after a time-out; for imported settings; with strict content rules
    """),
)
_FEATURE = (
    _words("""
    Let administrators choose; Show; Add a guided setup for; Support several versions of; Offer a
    preview of; Allow groups to override; Export; Import; Notify owners about; Add search to; Make
    it possible to pause; Add an API for; Schedule; Compare results of; Add a policy for; Explain;
    Add filters to; Remember the last choice of; Add keyboard access to; Document and expose; Let
    projects opt out of; Add a dry run for; Bring a summary of; Suggest a default for; Allow tagging
    of
    """),
    _THINGS,
    _words("""
    per project; per subgroup; in the admin area; in the chat panel; from the command line; for
    auditors; with a cost estimate; by region; for self-hosted models only; with approval; in the
    merge request view; during onboarding; for mixed deployments; with role checks; over REST; over
    GraphQL; with a time limit; by language; for trial licences; on the settings page; with undo;
    for quantised models; in bulk; for fine-tuned models; with a fallback; in the weekly report; as
    a beta; behind a flag; for pinned versions; with usage limits; in the editor extension; for
    offline instances; with templates; by team; with history; across environments; for new
    endpoints; in the model card; with a health badge; from a file; for service accounts; with one
    click; for large context windows; in dark mode; per feature; with sample prompts; for evaluation
    runs; on mobile; with a checklist; for partners
    """),
)
_MAINTENANCE = (
    _words("""
    Extract; Remove dead code around; Cover with tests:; Speed up the specs of; Replace the client
    used by; Split the service behind; Upgrade libraries of; Drop the old flag of; Simplify; Move to
    the new logger:; Type-check; Cache the lookup in; Unify error classes of; Make idempotent:;
    Rewrite the migration of; Reduce queries in; Document the internals of; Add metrics to; Harden;
    Delete unused settings of; Stabilise the pipeline of; Rename for clarity:; Limit the batch size
    of; Index the table of; Tidy up
    """),
    _THINGS,
    _words("""
    before the next upgrade; for 19.x; so that tests run offline; to cut flakiness; without
    behaviour changes; as agreed in review; to lower memory use; in the background worker; in the
    gateway; in the platform; and its fixtures; and its factories; behind the adapter layer; in
    small steps; with a deprecation note; for the security review; to unblock the registry; in the
    chart; and the docs; after the split; to shorten pipelines; with contract tests; for FIPS
    builds; on Ruby 3.4; on Python 3.13; for the new runner; and its schema; to remove a cycle; with
    benchmarks; in the client library; to allow parallel runs; for the nightly job; and alerts; in
    the admin controllers; in the importer; for the old API; to drop a dependency; in the seeds;
    with property tests; for the mobile view; before the code freeze; to save one query per row; and
    its cron job; in the rate limiter; in the exporter; for the sandbox; as a follow-up; in the
    editor bridge; for the metrics page; to keep logs short
    """),
)
_LISTS = {"bug": _BUG, "feature": _FEATURE, "maintenance": _MAINTENANCE}

_ZWJ, _RLM, _OVERRIDE = "\u200d", "\u200f", "\u202e"
_ESC, _BEL, _C1 = "\x1b", "\x07", "\x9b"
#: The first ones are what people do write; at the end is what no one would, and a screen must survive.
AWKWARD: tuple[str, ...] = (
    "fix [/api] crash in the [bold]model picker[/bold]",
    "\"Quotes\" 'single' “curly” in milestone names",
    "自己ホスト型モデルの設定画面で日本語が折り返されない",
    "模型端点选择器在宽字符下对齐错误 (表格)",
    "100% %s {braces} {0} $HOME `backticks` and \\n backslashes",
    "Ｆｕｌｌｗｉｄｔｈ　ｎａｍｅｓ are not folded in search",
    "إعداد النموذج المستضاف ذاتيًا لا يعمل بعد الترقية",
    f"Emoji: 👩{_ZWJ}💻 reviews 🏳️{_ZWJ}🌈 badge for 👨{_ZWJ}👩{_ZWJ}👧{_ZWJ}👦 plans 🇩🇪",
    f"Mixed direction: model {_RLM}שם המודל{_RLM} is cut off",
    "[red]Not markup[/] but a title with [link=https://example.com]brackets[/link]",
    f"Override {_OVERRIDE}gnihtemos sesrever{_OVERRIDE} in the title",
    "Combining marks: n\u0303a\u0308i\u0308ve re\u0301sume\u0301 e\u0301ndpoint Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    ("Very long title about the guided setup of self-hosted models " * 3).strip(),
    f"Escape {_ESC}[31mred{_ESC}[0m and {_ESC}[2J clear in the endpoint name",
    f"OSC {_ESC}]0;owned{_BEL} and link {_ESC}]8;;https://example.com{_ESC}\\here{_ESC}]8;;{_ESC}\\ in logs",
    f"C1 controls {_C1}31m and \x90tmux\x9c in model output",
    "Tabs\tand\ttrailing spaces   ",
    "Bell \x07 backspace \x08\x08 and delete \x7f in prompt names",
    "Zero\u200bwidth\u200bspaces and soft\u00adhyphens in labels",
    "<script>alert('title')</script> & &amp; entities in the model card",
)


def title(kind: str, number: int) -> str:
    """The title of a number among bugs, features or maintenance."""
    first, second, third = _LISTS[kind]
    total = len(first) * len(second) * len(third)
    stride = next(step for step in range(total * 5 // 8, total) if gcd(step, total) == 1)
    round_, at = divmod(number, total)
    at = at * stride % total
    at, low = divmod(at, len(first))
    middle, high = at % len(second), at // len(second)
    text = f"{first[low]} {second[middle]} {third[high]}"
    return f"{text} (part {round_ + 1})" if round_ else text
