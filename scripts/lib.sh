# For the scripts beside it: quiet stages. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/log
cd "$root" || exit
mkdir -p "$logs"

# stage NAME COMMAND...: runs it and prints one line: what, and how long. On failure also the end of its log, and where
# the whole is; returns the command's status.
stage() {
  local name=$1 log=$logs/${1// /-}.log began=$SECONDS status=0
  shift
  printf '%-22s ' "$name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status == 0)); then
    printf 'done %5d s\n' $((SECONDS - began))
  else
    printf 'FAILED after %d s; the end of %s:\n' $((SECONDS - began)) "${log#"$root"/}"
    # Of a CTest log what failed, not the hundreds that passed.
    grep -vE '^ +Start +[0-9]+: | Passed +[0-9.]+ sec$' "$log" | tail -n "${STAGE_TAIL:-40}" | sed 's/^/  | /'
  fi
  return "$status"
}

# The packages of the groups; silent when nothing is missing.
need_packages() {
  local absent
  absent=$(scripts/packages missing "$@")
  if [[ -n $absent ]]; then
    # Before the stage, so that a password can be asked for where there is somebody to ask.
    if ((EUID != 0)) && [[ -t 0 ]] && command -v sudo >/dev/null; then sudo -v; fi
    stage 'install packages' scripts/packages install "$@"
  fi
}
