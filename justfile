# Shortcuts for what the README and CONTRIBUTING describe. `just` lists them.

default:
    @just --list

# The main job on the embedded emulator.
quickstart:
    cargo run -- provision -f configs/quickstart.yaml --cloud all --emulator

# Everything a change must pass; the judges that are not installed are reported as ignored.
test:
    cargo test --workspace

lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo xtask check-deps
    cargo xtask generate --check

# Rewrites the generated files.
generate:
    cargo xtask generate

# The figures of docs/benchmarks.md, as ratios against references of the same run.
bench:
    cargo run --release --package mq-benches

# All of the above and the judges, as CI runs it.
ci:
    bash .ci/run
