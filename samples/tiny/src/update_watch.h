/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wants to hear of an update: callbacks stand in a table in flash, one entry each, and
 * update_notify() asks all of them. The program's own subscriber counts chunks and shows them on LED 2.
 */

#ifndef UPDATE_WATCH_H
#define UPDATE_WATCH_H

#include <stdint.h>

enum update_verdict { UPDATE_ACCEPT, UPDATE_REJECT };

struct update_chunk {
	uint32_t offset; /* bytes of the image before this chunk */
	uint32_t length; /* bytes in this chunk */
};

typedef enum update_verdict (*update_callback)(const struct update_chunk *chunk);

#define UPDATE_CALLBACK(function)                                                                  \
	__attribute__((section(".update_callbacks"), used))                                        \
	static const update_callback function##_entry = function

/* Tell every subscriber of a chunk; the first one that rejects it has the last word. */
enum update_verdict update_notify(const struct update_chunk *chunk);

/* Bytes that the program's own subscriber has been told of. */
uint32_t update_bytes_seen(void);

#endif
