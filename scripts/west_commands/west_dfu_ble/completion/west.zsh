# SPDX-License-Identifier: Apache-2.0
# `west dfu-ble`: hand what follows to the function above, all else to what completed west before.
if [[ $zsh_eval_context[-1] == eval ]]; then
  # A second reading of this script must not take the hook itself for that.
  [[ ${_comps[west]-} == _dfu_ble_west ]] || _dfu_ble_west_before=${_comps[west]-}

  _dfu_ble_west() {
    local at=2
    while [[ ${words[at]} == -* ]] && (( at < CURRENT )); do (( at++ )); done
    if [[ ${words[at]} == dfu-ble ]] && (( at < CURRENT )); then
      shift $(( at - 1 )) words
      (( CURRENT -= at - 1 ))
      _shtab_dfu_ble
      return
    fi
    local found=1
    if [[ -n $_dfu_ble_west_before ]]; then
      $_dfu_ble_west_before "$@" && found=0
    elif (( at < CURRENT )); then
      _files && found=0
    fi
    (( at == CURRENT )) && compadd dfu-ble && found=0
    return found
  }

  compdef _dfu_ble_west west
fi
