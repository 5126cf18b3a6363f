#!/usr/bin/env bash
# Behind `./handbook test [--filter EXPR] [--project NAME] [--cpu avx2|sse] [...]`: builds once, runs every test project, fast ones first,
# goes on after a failure, and ends with one line: "N passed, N failed" (", N skipped" may follow). `--cpu` runs the tests as on a processor
# with no more than these instructions. Other arguments go to `dotnet test`.
set -uo pipefail
cd "$(dirname "$0")/.."
dotnet=$1; shift

# Debian packages that tests need, each with the file that shows it is there: "package:path".
debian_packages=()

# The order; projects not named here come last.
fast_first=(Conventions Foundation Recipes Reports Templates Tokenizers Chat Data Torch Autograd Benchmarks Quickstart Cli Gguf Sampling Models Training)

# Hides instructions from .NET, from libtorch's kernels and from oneDNN, in everything that is started from here.
limit_processor() {
    case $1 in
        avx2) export DOTNET_EnableAVX512F=0 DOTNET_EnableAVX512=0 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 ;;
        sse) export DOTNET_EnableAVX512F=0 DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0 DOTNET_EnableAVX=0 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 ;;
        *) echo "--cpu: expected avx2 or sse, found '$1'" >&2; exit 2 ;;
    esac
}

only=""
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --project) only=$2; shift 2 ;;
        --cpu) limit_processor "${2:-}"; shift 2 ;;
        -h|--help) sed -n '2,4s/^# //p' tests/run.sh; exit 0 ;;
        *) arguments+=("$1"); shift ;;
    esac
done

for entry in ${debian_packages[@]+"${debian_packages[@]}"}; do
    package=${entry%%:*}
    [ -e "${entry#*:}" ] && continue
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null 2>&1 || echo "could not install $package: tests that need it will fail"
    else
        echo "some tests need the Debian package $package: apt install $package"
    fi
done

projects=()
for name in "${fast_first[@]}"; do
    [ -d "tests/Handbook.$name.Tests" ] && projects+=("Handbook.$name.Tests")
done
for folder in tests/*.Tests; do
    name=$(basename "$folder")
    [[ " ${projects[*]} " == *" $name "* ]] || projects+=("$name")
done
if [ -n "$only" ]; then
    projects=("Handbook.${only#Handbook.}"); projects=("${projects[0]%.Tests}.Tests")
    [ -d "tests/${projects[0]}" ] || { echo "there is no test project ${projects[0]}" >&2; exit 2; }
fi

passed=0 failed=0 skipped=0 status=0
log=$(mktemp)
# Tests that are skipped leave a line each: class, tab, what it needs. .ci/run names the file, to run those classes again.
export HANDBOOK_TEST_SKIPS=${HANDBOOK_TEST_SKIPS:-$log.skips}
trap 'rm -f "$log" "$log.skips"' EXIT
if [ -z "$only" ]; then target=Handbook.slnx; else target=tests/${projects[0]}; fi
if ! "$dotnet" build "$target" -c Release -v q --nologo >"$log" 2>&1; then
    grep -E ': error |^error ' "$log" | sort -u | head -40
    echo "the build failed: projects that did not build count as failed"
    status=1
fi

count() { sed -nE "s/^(Passed|Failed|Skipped)! .*$1: *([0-9]+).*/\2/p" "$log" | awk '{ n += $1 } END { print n + 0 }'; }

for name in "${projects[@]}"; do
    assembly=artifacts/bin/$name/release/$name.dll
    if [ ! -e "$assembly" ]; then
        echo "$name did not build"; failed=$((failed + 1)); status=1; continue
    fi
    "$dotnet" test "$assembly" --nologo --blame-hang-timeout 10m ${arguments[@]+"${arguments[@]}"} 2>&1 | tee "$log" | grep -vE '\[SKIP\]$|^(VSTest version|Starting test execution|A total of|No test matches|Additionally, path|No test is available|$)'
    code=${PIPESTATUS[0]}
    p=$(count Passed) f=$(count Failed) s=$(count Skipped)
    # A test host that dies, or arguments it refuses, leave no count behind.
    if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    [ "$code" -eq 0 ] || status=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

# What is missing in each case stands in parentheses behind the need.
needs=$(cut -f2 "$HANDBOOK_TEST_SKIPS" 2>/dev/null | sed 's/^needs //; s/ (.*//' | sort -u | paste -sd';' - | sed 's/;/; /g')
[ "$skipped" -eq 0 ] || echo "skipped tests need ${needs:-what their lines above say}"
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
exit $status
