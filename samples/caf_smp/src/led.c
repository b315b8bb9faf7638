/* SPDX-License-Identifier: Apache-2.0
 *
 * LED 1 tells what goes on: slowly while the application runs, fast while an update arrives. The CAF
 * SMP module submits ble_smp_transfer_event for the chunks of an upload, from its callback.
 */
#include <errno.h>

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/kernel.h>

#include <app_event_manager.h>

#define MODULE led
#include <caf/events/ble_smp_event.h>
#include <caf/events/module_state_event.h>

#include <zephyr/logging/log.h>
LOG_MODULE_REGISTER(MODULE, LOG_LEVEL_INF);

#define SLOW K_MSEC(1000)
#define FAST K_MSEC(100)
/* An upload is over when this long nothing of it came. */
#define QUIET_MS 2000

static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);
static int64_t last_chunk_ms = INT64_MIN / 2;

static void blink_fn(struct k_work *work);
static K_WORK_DELAYABLE_DEFINE(blink, blink_fn);

static bool uploading(void)
{
	return k_uptime_get() - last_chunk_ms < QUIET_MS;
}

static void blink_fn(struct k_work *work)
{
	ARG_UNUSED(work);
	(void)gpio_pin_toggle_dt(&led);
	k_work_reschedule(&blink, uploading() ? FAST : SLOW);
}

static void start(void)
{
	int err = device_is_ready(led.port) ? gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE)
					    : -ENODEV;

	if (err) {
		LOG_ERR("No LED (err %d)", err);
		module_set_state(MODULE_STATE_ERROR);
	} else {
		k_work_reschedule(&blink, K_NO_WAIT);
		module_set_state(MODULE_STATE_READY);
	}
}

static bool app_event_handler(const struct app_event_header *aeh)
{
	if (is_ble_smp_transfer_event(aeh)) {
		bool begins = !uploading();

		last_chunk_ms = k_uptime_get();
		if (begins) {
			LOG_INF("An update arrives");
			k_work_reschedule(&blink, K_NO_WAIT);
		}
	} else if (check_state(cast_module_state_event(aeh), MODULE_ID(main), MODULE_STATE_READY)) {
		start();
	}

	return false;
}

APP_EVENT_LISTENER(MODULE, app_event_handler);
APP_EVENT_SUBSCRIBE(MODULE, ble_smp_transfer_event);
APP_EVENT_SUBSCRIBE(MODULE, module_state_event);
