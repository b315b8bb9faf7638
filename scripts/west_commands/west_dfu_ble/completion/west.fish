# SPDX-License-Identifier: Apache-2.0
# `west dfu-ble`: complete what follows as `dfu-ble` does.
function _dfu_ble_west
    set -l words (commandline -opc)
    set -l at (contains -i -- dfu-ble $words)
    or return
    set -l known (string escape -- $words[$at..-1])
    complete -C (string join ' ' -- $known (commandline -ct))
end

complete -c west -n 'not __fish_seen_subcommand_from dfu-ble' -a dfu-ble \
    -d 'verify, sign and update firmware over Bluetooth LE'
complete -c west -n '__fish_seen_subcommand_from dfu-ble' -f -a '(_dfu_ble_west)'
