"""What `posthoc` alone says. Apart from the rest so that it is said at once."""

AROUND = ("brief", "watch", "mcp", "doctor", "init", "demo", "completion")
SHELLS = ("bash", "zsh", "fish")
VERBS = ("report", "audit", "compare", "history", "series", "dump", "explain", "merge", *AROUND, "help")
HELP = """posthoc reads training logs (TensorBoard, MLflow, W&B, Lightning, Hugging Face, Keras, CSV, …) and says what
went wrong in each run, since when, why, and what to do first.

  posthoc report SOURCE [-o FILE.html] [--run NAME]    one run: one HTML page, a short verdict here
  posthoc audit SOURCE... [-o DIR]                     many runs: a site with an index
  posthoc compare BASE CANDIDATE...                    did it get better: groups of runs (seeds) compared
  posthoc series SOURCE                                how the logs are understood: runs, tags, roles and why
  posthoc dump SOURCE                                  every point of every scalar series as JSON
  posthoc explain [SYMPTOM] [--html DIR]               the page of a symptom, or the list; a gallery of all
  posthoc merge DIR... [-o DIR]                        one site of the parts that audit --shard I/N judged
  posthoc history SOURCE [-o FILE.html] [--replay]     nightly runs: since which night better or worse, and with what
  posthoc brief RUN                                    one run in at most 1,500 tokens of text, for a prompt
  posthoc watch SOURCE... [--notify URL]               runs that go on: what is new, as it happens
  posthoc mcp SOURCE...                                the same for a language model (Model Context Protocol)
  posthoc doctor [SOURCE]                              versions, extras; reading compared with other libraries
  posthoc init | posthoc demo                          write commented settings | audit bundled example logs
  posthoc completion bash|zsh|fish                     a script that completes these words in the shell

SOURCE is a run's folder, a log file, a folder with many runs, an MLflow store, database or server, or an
address (file://…; in object storage s3://…, gs://…).

  posthoc help VERB, posthoc VERB --help               the options of a verb
  posthoc --version                                    the version

Exit codes: 0 nothing at or above the gate (--fail-on), 1 a finding at or above it, 2 could not judge,
130 interrupted.
"""
