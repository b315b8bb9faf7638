/* SPDX-License-Identifier: Apache-2.0 */
/* The resource that rebuild.py makes: bytes that no compression makes smaller. */

	.syntax unified
	.section .rodata.resource, "a", %progbits
	.balign 4
	.global resource_start
	.type resource_start, %object
resource_start:
	.incbin "resource.bin"
	.global resource_end
resource_end:
	.size resource_start, . - resource_start
