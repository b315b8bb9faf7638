/* SPDX-License-Identifier: Apache-2.0 */

#include "update_watch.h"

#include "board.h"

extern const update_callback update_callbacks_start[], update_callbacks_end[];

static uint32_t bytes_seen;

/* Never rejects: it only watches, as a module that reports progress does. */
static enum update_verdict upload_confirm_cb(const struct update_chunk *chunk)
{
	bytes_seen += chunk->length;
	board_led(BOARD_LED_UPDATE, bytes_seen & 1);
	return UPDATE_ACCEPT;
}

UPDATE_CALLBACK(upload_confirm_cb);

enum update_verdict update_notify(const struct update_chunk *chunk)
{
	for (const update_callback *entry = update_callbacks_start; entry < update_callbacks_end;
	     entry++) {
		if ((*entry)(chunk) == UPDATE_REJECT) {
			return UPDATE_REJECT;
		}
	}
	return UPDATE_ACCEPT;
}

uint32_t update_bytes_seen(void)
{
	return bytes_seen;
}
