/* SPDX-License-Identifier: Apache-2.0
 *
 * Confirms the running image, once it has shown that it could be updated again: settings, Bluetooth,
 * SMP service and advertising are up. The CAF SMP module confirms nothing. An image on trial that
 * does not get so far reboots, and MCUboot goes back to the one before; it is never confirmed merely
 * because it started.
 */
#include <zephyr/dfu/mcuboot.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/reboot.h>

#include <app_event_manager.h>

#define MODULE self_test
#include <caf/events/ble_common_event.h>
#include <caf/events/module_state_event.h>

#include <zephyr/logging/log.h>
LOG_MODULE_REGISTER(MODULE, LOG_LEVEL_INF);

#define TIME_LIMIT K_SECONDS(30)

enum part {
	SETTINGS = BIT(0),
	SMP_SERVICE = BIT(1),
	ADVERTISING = BIT(2),
	ALL = SETTINGS | SMP_SERVICE | ADVERTISING,
};

static uint32_t seen;
static bool over;

static void end(bool passed, const char *why)
{
	if (over) {
		return;
	}
	over = true;

	if (boot_is_img_confirmed()) {
		LOG_INF("The image was confirmed before; self-test: %s", why);
	} else if (!passed) {
		LOG_ERR("Self-test failed: %s; back to the image before", why);
		k_sleep(K_MSEC(500)); /* for the log to get out */
		sys_reboot(SYS_REBOOT_COLD);
	} else {
		int err = boot_write_img_confirmed();

		if (err) {
			LOG_ERR("Cannot confirm the image (err %d)", err);
			module_set_state(MODULE_STATE_ERROR);
		} else {
			LOG_INF("Self-test passed, image confirmed");
			module_set_state(MODULE_STATE_READY);
		}
	}
}

static void too_late_fn(struct k_work *work)
{
	ARG_UNUSED(work);
	end(false, "not everything came up in time");
}
static K_WORK_DELAYABLE_DEFINE(too_late, too_late_fn);

static void came_up(enum part part)
{
	seen |= part;
	if (seen == ALL) {
		(void)k_work_cancel_delayable(&too_late);
		end(true, "everything is up");
	}
}

static void handle_module_state(const struct module_state_event *event)
{
	if (event->state == MODULE_STATE_ERROR) {
		end(false, "a module reports an error");
	} else if (check_state(event, MODULE_ID(main), MODULE_STATE_READY)) {
		k_work_schedule(&too_late, TIME_LIMIT);
	} else if (check_state(event, MODULE_ID(settings_loader), MODULE_STATE_READY)) {
		came_up(SETTINGS);
	} else if (check_state(event, MODULE_ID(smp), MODULE_STATE_READY)) {
		came_up(SMP_SERVICE);
	}
}

static bool app_event_handler(const struct app_event_header *aeh)
{
	if (is_module_state_event(aeh)) {
		handle_module_state(cast_module_state_event(aeh));
	} else if (is_ble_peer_search_event(aeh) && cast_ble_peer_search_event(aeh)->active) {
		came_up(ADVERTISING);
	}

	return false;
}

APP_EVENT_LISTENER(MODULE, app_event_handler);
APP_EVENT_SUBSCRIBE(MODULE, module_state_event);
APP_EVENT_SUBSCRIBE(MODULE, ble_peer_search_event);
