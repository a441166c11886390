/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ui/tui/tiling.h"

/* Between two columns of panels. */
#define GUTTER 2

/* The panels of one column, or of all. */
struct part {
	const struct tile_wish *wishes;
	struct tile *tiles;
	size_t count;
	bool all;
	bool right;
};

static bool is_in(const struct part *part, size_t i)
{
	return part->all || part->wishes[i].right == part->right;
}

static unsigned rows_taken(const struct part *part)
{
	unsigned sum = 0;

	for (size_t i = 0; i < part->count; i++)
		if (is_in(part, i))
			sum += part->tiles[i].rows;
	return sum;
}

/* Leaves out what matters least until the others fit. */
static void leave_out(const struct part *part, unsigned rows)
{
	while (rows_taken(part) > rows) {
		size_t last = part->count;

		for (size_t i = 0; i < part->count; i++)
			if (is_in(part, i) && part->tiles[i].rows &&
				(last == part->count ||
					part->wishes[i].rank > part->wishes[last].rank))
				last = i;
		part->tiles[last].rows = 0;
	}
}

/* One row more for the panel that matters most of those that want one; false: none does. */
static bool give_row(const struct part *part, bool surplus)
{
	size_t best = part->count;

	for (size_t i = 0; i < part->count; i++) {
		const struct tile_wish *wish = &part->wishes[i];
		const struct tile *tile = &part->tiles[i];

		if (!is_in(part, i) || tile->rows == 0 ||
			!(surplus ? wish->grows && tile->rows <= wish->most
				  : tile->rows <= wish->wanted))
			continue;
		if (best == part->count || (surplus ? tile->rows < part->tiles[best].rows
						    : wish->rank < part->wishes[best].rank))
			best = i;
	}
	if (best < part->count)
		part->tiles[best].rows++;
	return best < part->count;
}

/* What is left makes as many panels whole as it can, those that matter most first. */
static unsigned give_whole(const struct part *part, unsigned left)
{
	for (unsigned rank = 0; rank <= part->count; rank++)
		for (size_t i = 0; i < part->count; i++) {
			struct tile *tile = &part->tiles[i];
			unsigned whole = part->wishes[i].whole + 1;

			if (!is_in(part, i) || part->wishes[i].rank != rank || tile->rows == 0)
				continue;
			if (whole > tile->rows && whole - tile->rows > left)
				continue;
			left -= whole > tile->rows ? whole - tile->rows : 0;
			tile->rows = whole > tile->rows ? whole : tile->rows;
			tile->whole = true;
		}
	return left;
}

static void place_part(const struct part *part, unsigned rows, unsigned column, unsigned columns)
{
	unsigned row = 0, left;

	for (size_t i = 0; i < part->count; i++)
		if (is_in(part, i))
			part->tiles[i] = (struct tile) { .column = column,
				.columns = columns,
				.rows = part->wishes[i].least + 1 };
	leave_out(part, rows);
	left = rows - rows_taken(part);
	while (left && give_row(part, false))
		left--;
	left = give_whole(part, left);
	while (left && give_row(part, true))
		left--;
	for (size_t i = 0; i < part->count; i++)
		if (is_in(part, i)) {
			part->tiles[i].row = row;
			row += part->tiles[i].rows;
		}
}

unsigned tiles_width(unsigned columns)
{
	return columns < TILING_WIDE ? columns : (columns - GUTTER) / 2;
}

void tiles_place(const struct tile_wish *wishes, struct tile *tiles, size_t count, unsigned rows,
	unsigned columns)
{
	struct part part = { wishes, tiles, count, .all = columns < TILING_WIDE };
	unsigned half = tiles_width(columns);

	if (part.all) {
		place_part(&part, rows, 0, columns);
		return;
	}
	place_part(&part, rows, 0, half);
	part.right = true;
	place_part(&part, rows, half + GUTTER, columns - half - GUTTER);
}
