/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resume support in the initramfs that boots next, and back: a configuration file of the tool that
 * makes the images (core/facts/initramfs.h), then a new image beside the old one, exchanged with
 * one rename.
 */
#ifndef EC2HIB_ACTIONS_INITRAMFS_H
#define EC2HIB_ACTIONS_INITRAMFS_H

#include "core/base/files.h"
#include "core/facts/facts.h"

/*
 * Makes the image resume, and those that are made after it. Nothing runs and nothing is written
 * when they do (initramfs_is_set_up()), or when none is used and the kernel finds the resume device
 * by itself. The new image is looked into: one that still does not resume is an error, -ENOENT.
 * -EOPNOTSUPP when the tool is not known. After a failure the configuration is as before, and so is
 * the image of a tool that writes where it is told to.
 */
int initramfs_set(const struct root *root, const struct facts *facts, struct error *err);

/* Takes our configuration away and makes the image again without it. Nothing of ours there: 0. */
int initramfs_remove(const struct root *root, const struct facts *facts, struct error *err);

#endif
