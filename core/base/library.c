/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static void *load(const struct library *library)
{
	void *handle = NULL;

	for (size_t i = 0; !handle && library->names[i]; i++)
		handle = dlopen(library->names[i], RTLD_NOW | RTLD_LOCAL);
	return handle;
}

int library_open(const struct library *library, void *functions, struct error *err)
{
	void *handle = load(library);

	if (!handle)
		return error_set(err, ENOENT, "%s cannot be loaded (%s); install %s",
			library->title, dlerror(), library->remedy);
	for (size_t i = 0; i < library->count; i++) {
		const struct library_function *function = &library->functions[i];
		void *found = dlsym(handle, function->name);

		if (!found) {
			/* Who looks whether a function is there must not find half of them. */
			for (size_t k = 0; k < i; k++)
				memset((char *)functions + library->functions[k].offset, 0,
					sizeof(found));
			dlclose(handle);
			return error_set(err, ENOSYS, "this %s has no %s; install %s",
				library->title, function->name, library->remedy);
		}
		/* POSIX lets dlsym() give functions as data pointers; C has no cast for it. */
		memcpy((char *)functions + function->offset, &found, sizeof(found));
	}
	return 0;
}
