# SPDX-License-Identifier: Apache-2.0
# `west dfu-ble`: hand what follows to the function above, all else to what completed west before.
# A second reading of this script must not take the hook itself for that.
if [[ "$(complete -p west 2>/dev/null)" =~ -F\ ([^ ]+) ]] &&
  [[ ${BASH_REMATCH[1]} != _dfu_ble_west ]]; then
  _dfu_ble_west_before=${BASH_REMATCH[1]}
fi

_dfu_ble_west() {
  local at=1
  while [[ ${COMP_WORDS[at]} == -* ]] && ((at < COMP_CWORD)); do ((at++)); done
  if [[ ${COMP_WORDS[at]} == dfu-ble ]] && ((at < COMP_CWORD)); then
    local -a words=("${COMP_WORDS[@]:at}")
    local -a COMP_WORDS=("${words[@]}")
    local COMP_CWORD=$((COMP_CWORD - at))
    _shtab_dfu_ble
    return
  fi
  COMPREPLY=()
  [[ -n ${_dfu_ble_west_before-} ]] && "$_dfu_ble_west_before" "$@"
  if ((at == COMP_CWORD)) && [[ dfu-ble == "${COMP_WORDS[at]}"* ]]; then
    COMPREPLY+=(dfu-ble)
  fi
}

complete -o bashdefault -o default -F _dfu_ble_west west
