/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector table and reset handler, for the program and for the boot program: copies .data, clears
 * .bss, points the processor at this image's own vectors, and calls main().
 */

#include <stdint.h>

extern uint32_t data_load_start[], data_start[], data_end[], bss_start[], bss_end[], stack_end[];

int main(void);
void reset_handler(void);

/* Vector table offset register, Armv7-M Architecture Reference Manual B3.2.5. */
#define VTOR (*(volatile uint32_t *)0xE000ED08u)

#define EXCEPTIONS 16
#define INTERRUPTS 48 /* nRF52840: peripherals with an identifier of 0 to 47 */

typedef void (*handler)(void);

struct vector_table {
	uint32_t *initial_stack;
	handler handlers[EXCEPTIONS - 1 + INTERRUPTS];
};

static void stop(void)
{
	for (;;) {
	}
}

/* Nothing here enables an interrupt: an exception is a fault, and a fault stops. */
__attribute__((section(".vectors"), used))
const struct vector_table _vector_table = {
	.initial_stack = stack_end,
	.handlers = { reset_handler, [1 ... EXCEPTIONS - 2 + INTERRUPTS] = stop },
};

__attribute__((noreturn, used))
void reset_handler(void)
{
	const uint32_t *from = data_load_start;

	VTOR = (uint32_t)&_vector_table;
	for (uint32_t *to = data_start; to < data_end; to++) {
		*to = *from++;
	}
	for (uint32_t *to = bss_start; to < bss_end; to++) {
		*to = 0;
	}
	main();
	for (;;) {
	}
}
