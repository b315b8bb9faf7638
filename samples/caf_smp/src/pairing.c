/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows the passkey on the console. The SMP service asks for an authenticated link unless it is
 * told otherwise, and a device that can show nothing could never give one: no host could update it.
 */
#include <zephyr/bluetooth/conn.h>

#include <app_event_manager.h>

#define MODULE pairing
#include <caf/events/module_state_event.h>

#include <zephyr/logging/log.h>
LOG_MODULE_REGISTER(MODULE, LOG_LEVEL_INF);

static void passkey_display(struct bt_conn *conn, unsigned int passkey)
{
	ARG_UNUSED(conn);
	LOG_INF("Passkey: %06u", passkey);
}

static void cancel(struct bt_conn *conn)
{
	ARG_UNUSED(conn);
	LOG_WRN("The host gave up pairing");
}

static bool app_event_handler(const struct app_event_header *aeh)
{
	static const struct bt_conn_auth_cb callbacks = {
		.passkey_display = passkey_display,
		.cancel = cancel,
	};

	if (check_state(cast_module_state_event(aeh), MODULE_ID(ble_state), MODULE_STATE_READY)) {
		int err = bt_conn_auth_cb_register(&callbacks);

		if (err) {
			LOG_ERR("Nobody can pair (err %d)", err);
			module_set_state(MODULE_STATE_ERROR);
		} else {
			module_set_state(MODULE_STATE_READY);
		}
	}

	return false;
}

APP_EVENT_LISTENER(MODULE, app_event_handler);
APP_EVENT_SUBSCRIBE(MODULE, module_state_event);
