#!/usr/bin/env bash
# Runs the gate for action.yml, which sets the variables. ARGUMENTS is read as the shell reads a command's arguments.
set -u
eval "arguments=($ARGUMENTS)"
[ -z "$AGAINST" ] || arguments+=(--against "$AGAINST")
[ "$COMMENT" != true ] || arguments+=(--comment)
"$RUNNER_TEMP/scratchbench/bin/scratchbench" gate "${arguments[@]}" --out "$OUT"
code=$?
verdicts=([0]=pass [1]=fail [3]=undecided [4]="no verdict")
echo "verdict=${verdicts[$code]:-}" >> "$GITHUB_OUTPUT"
[ "$code" -eq 3 ] && [ "$UNDECIDED" = warn ] && exit 0
exit "$code"
