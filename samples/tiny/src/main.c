/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the resource that makes up most of this image against its CRC-32, tries the update
 * callbacks once, leaves what it found in `tiny_report`, where a debugger can read it, and blinks
 * LED 1: twice a second if all is well, ten times a second if not.
 */

#include <stdint.h>

#include "board.h"
#include "update_watch.h"

#define MCUBOOT_HEADER_SIZE 0x200u
#define REPORT_MAGIC 0x594E4954u /* "TINY" */

extern const uint8_t resource_start[], resource_end[];
extern const uint32_t _vector_table[];

struct report {
	uint32_t magic; /* REPORT_MAGIC; initialised data, so it shows that .data was copied */
	char version[16];
	uint32_t slot; /* address of the slot that this image is linked for */
	uint32_t resource_crc32;
	uint32_t passed; /* 1 if every check did */
	uint32_t blinks; /* counts up as long as the program lives */
};

volatile struct report tiny_report = {
	.magic = REPORT_MAGIC,
	.version = VERSION,
};

/* CRC-32 as in IEEE 802.3 and zlib, bit by bit. */
static uint32_t crc32(const uint8_t *data, const uint8_t *end)
{
	uint32_t crc = ~0u;

	while (data < end) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
		}
	}
	return ~crc;
}

static int update_callbacks_work(void)
{
	const struct update_chunk chunk = { .offset = 0, .length = 32 };
	uint32_t before = update_bytes_seen();

	return update_notify(&chunk) == UPDATE_ACCEPT &&
	       update_bytes_seen() == before + chunk.length;
}

int main(void)
{
	uint32_t half_period_ms;

	board_init();
	tiny_report.slot = (uint32_t)_vector_table - MCUBOOT_HEADER_SIZE;
	tiny_report.resource_crc32 = crc32(resource_start, resource_end);
	tiny_report.passed =
		tiny_report.resource_crc32 == RESOURCE_CRC32 && update_callbacks_work();
	half_period_ms = tiny_report.passed ? 250 : 50;
	for (;;) {
		board_led(BOARD_LED_ALIVE, 1);
		board_wait_ms(half_period_ms);
		board_led(BOARD_LED_ALIVE, 0);
		board_wait_ms(half_period_ms);
		tiny_report.blinks++;
	}
}
