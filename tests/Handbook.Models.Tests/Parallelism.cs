// Kernels are switched for the whole process in some tests, and use every processor anyway.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
