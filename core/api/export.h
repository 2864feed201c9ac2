/*
 * Merged stacks as documents: what the server's answers have in them, and the
 * files that its downloads and pyroscope-store make.
 *
 * A plan (core/api/plan.h) has format, type, range and max_nodes; the tree has
 * its stacks, uncut, by lines or not as pyro_export_by_lines() has it, and is
 * changed.  Everything is in the tree's arena.  One thread.
 * PYRO_UNAVAILABLE: no memory; a rope over its limit says so itself.
 */

#ifndef _PYRO_EXPORT_H_INCLUDED_
#define _PYRO_EXPORT_H_INCLUDED_


#include "core/api/render.h"
#include "core/api/stacks.h"


/* 1: the format is made of a tree by lines. */
int pyro_export_by_lines(pyro_format_e format);

pyro_status_e pyro_export_pprof(pyro_tree_t *tree, const pyro_plan_t *plan,
    Google__V1__Profile **profile, pyro_error_t *err);

/* Formats but flame graphs, pprof and pages. */
pyro_status_e pyro_export_text(pyro_tree_t *tree, const pyro_plan_t *plan,
    pyro_rope_t *out, pyro_error_t *err);

/* A download, whole: the plan of render, which is no JSON.  pprof is packed,
 * and out's limit holds for it as it was before, too. */
pyro_status_e pyro_export_file(pyro_tree_t *tree, const pyro_render_t *render,
    pyro_rope_t *out, pyro_error_t *err);


#endif /* _PYRO_EXPORT_H_INCLUDED_ */
