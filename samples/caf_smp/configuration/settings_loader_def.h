/* SPDX-License-Identifier: Apache-2.0
 *
 * Included by CAF's settings loader alone: the modules that must be ready before settings are
 * loaded. Bonds belong to Bluetooth, so it has to be up.
 */
#include <caf/events/module_state_event.h>

static void get_req_modules(struct module_flags *mf)
{
	module_flags_set_bit(mf, MODULE_IDX(main));
	module_flags_set_bit(mf, MODULE_IDX(ble_state));
}
