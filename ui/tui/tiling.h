/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which panels the overview shows, and where: pure, from what each wants and what room there is.
 */
#ifndef EC2HIB_UI_TUI_TILING_H
#define EC2HIB_UI_TUI_TILING_H

#include <stdbool.h>
#include <stddef.h>

/* From this width on there are two columns of panels. */
#define TILING_WIDE 110

/* Less than this shows nothing that would help. */
#define TILING_ROWS_LEAST    8
#define TILING_COLUMNS_LEAST 40

/* What a panel asks for; its title is a row more. */
struct tile_wish {
	unsigned least;	 /* rows without which it is left out */
	unsigned wanted; /* rows that show all that is usual */
	unsigned rank;	 /* the panel with the highest one is left out first */
	bool grows;	 /* takes up to MOST of what nobody else needs */
	unsigned most;
	unsigned whole; /* rows that show all there is to it */
	bool right;	/* of two columns */
};

/* A panel on the screen, its title in the first row; 0 rows: it is left out. */
struct tile {
	unsigned row, column;
	unsigned rows, columns;
	bool whole; /* there is room for all there is to it */
};

/* The columns of a panel where the screen has COLUMNS. */
unsigned tiles_width(unsigned columns);

/* Fills COUNT tiles in an area of ROWS and COLUMNS. */
void tiles_place(const struct tile_wish *wishes, struct tile *tiles, size_t count, unsigned rows,
	unsigned columns);

#endif
