/*
 * The version of everything that is built here: the module and the tools.
 */

#ifndef _PYRO_VERSION_H_INCLUDED_
#define _PYRO_VERSION_H_INCLUDED_


#define PYRO_VERSION  "0.1.0"


#endif /* _PYRO_VERSION_H_INCLUDED_ */
