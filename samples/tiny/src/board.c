/* SPDX-License-Identifier: Apache-2.0 */

#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* nRF52840 Product Specification, GPIO: port 0. */
#define GPIO_OUTSET REGISTER(0x50000508u)
#define GPIO_OUTCLR REGISTER(0x5000050Cu)
#define GPIO_DIRSET REGISTER(0x50000518u)

/* SysTick, Armv7-M Architecture Reference Manual B3.3; it counts the 64 MHz of the processor. */
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_CSR_ENABLE    (1u << 0)
#define SYST_CSR_CLKSOURCE (1u << 2)
#define SYST_CSR_COUNTFLAG (1u << 16)
#define TICKS_PER_MS 64000u

void board_init(void)
{
	GPIO_OUTSET = 1u << BOARD_LED_ALIVE | 1u << BOARD_LED_UPDATE;
	GPIO_DIRSET = 1u << BOARD_LED_ALIVE | 1u << BOARD_LED_UPDATE;
	SYST_RVR = TICKS_PER_MS - 1;
	SYST_CVR = 0;
	SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_CLKSOURCE;
}

void board_led(uint32_t pin, int on)
{
	if (on) {
		GPIO_OUTCLR = 1u << pin;
	} else {
		GPIO_OUTSET = 1u << pin;
	}
}

void board_wait_ms(uint32_t milliseconds)
{
	while (milliseconds > 0) {
		if (SYST_CSR & SYST_CSR_COUNTFLAG) {
			milliseconds--;
		}
	}
}
