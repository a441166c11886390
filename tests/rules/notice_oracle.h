/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a notice has to be, decided anew and more plainly than core/rules/notice.c does. */
#ifndef EC2HIB_TESTS_NOTICE_ORACLE_H
#define EC2HIB_TESTS_NOTICE_ORACLE_H

#include <stdbool.h>

/*
 * Hands TEXT to all parsers of notices. NULL, or what is wrong: something counted as a notice that
 * is not of the documented form, or something else was left behind than an error with words.
 * *NOTICES is how many parsers took it for one.
 */
const char *notice_oracle(const char *text, unsigned *notices);

#endif
