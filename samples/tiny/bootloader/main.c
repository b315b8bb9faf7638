/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot program that stands where MCUboot stands in a real device. This is NOT MCUboot and protects
 * nothing: it checks no hash and no signature and moves no image. It starts the image in the primary
 * slot or, with DIRECT_XIP, that of the two slots whose image was made for its slot and has the
 * higher version. It is here so that the build directories are complete and the signed images can be
 * run in an emulator.
 */

#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAGIC 0x96F3B83Du
#define IMAGE_F_ROM_FIXED 0x100u

/* The header of an MCUboot image, as MCUboot's design documentation gives it. */
struct image_header {
	uint32_t magic;
	uint32_t load_address;
	uint16_t header_size;
	uint16_t protected_tlv_size;
	uint32_t image_size;
	uint32_t flags;
	uint8_t major;
	uint8_t minor;
	uint16_t revision;
	uint32_t build;
	uint32_t padding;
};

static const struct image_header *image_at(uint32_t slot)
{
	const struct image_header *header = (const struct image_header *)slot;

	if (header->magic != IMAGE_MAGIC) {
		return NULL;
	}
	if ((header->flags & IMAGE_F_ROM_FIXED) && header->load_address != slot) {
		return NULL;
	}
	return header;
}

#ifdef DIRECT_XIP
static uint32_t version_of(const struct image_header *header)
{
	return (uint32_t)header->major << 24 | (uint32_t)header->minor << 16 | header->revision;
}
#endif

static const struct image_header *choose(void)
{
	const struct image_header *chosen = image_at(PRIMARY_SLOT);

#ifdef DIRECT_XIP
	const struct image_header *other = image_at(SECONDARY_SLOT);

	if (other != NULL && (chosen == NULL || version_of(other) > version_of(chosen))) {
		chosen = other;
	}
#endif
	return chosen;
}

int main(void)
{
	const struct image_header *image = choose();

	if (image == NULL) {
		return 1;
	}
	const uint32_t *vectors = (const uint32_t *)((const uint8_t *)image + image->header_size);

	__asm volatile("msr msp, %0\n\tbx %1" : : "r"(vectors[0]), "r"(vectors[1]) : "memory");
	__builtin_unreachable();
}
