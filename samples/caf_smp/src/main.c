/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts the event manager. CAF's modules wait for this module to be ready, and then bring up
 * Bluetooth, settings, advertising and the SMP service, each announcing itself in turn.
 */
#include <app_event_manager.h>

#define MODULE main
#include <caf/events/module_state_event.h>

#include <zephyr/logging/log.h>
LOG_MODULE_REGISTER(MODULE);

int main(void)
{
	if (app_event_manager_init()) {
		LOG_ERR("The event manager did not start");
	} else {
		module_set_state(MODULE_STATE_READY);
	}

	return 0;
}
