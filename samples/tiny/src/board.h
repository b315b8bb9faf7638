/* SPDX-License-Identifier: Apache-2.0 */
/* The nRF52840 DK: its LEDs, and time. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Pins of port 0; the LEDs of the kit light up when the pin is low. */
#define BOARD_LED_ALIVE  13 /* LED 1 */
#define BOARD_LED_UPDATE 14 /* LED 2 */

void board_init(void);
void board_led(uint32_t pin, int on);
void board_wait_ms(uint32_t milliseconds);

#endif
