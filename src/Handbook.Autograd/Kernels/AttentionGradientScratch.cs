namespace Handbook.Autograd.Kernels;

/// <summary>Working memory of one backward task: operands and sums of one query block, and the sums of a chunk of keys.</summary>
internal readonly unsafe struct AttentionGradientScratch<T> where T : unmanaged
{
    internal AttentionGradientScratch(AttentionPlan plan, int blocksInChunk)
    {
        var block = plan.PackedBlock;
        const int Square = AttentionPlan.TileSize;
        var scratch = new ScratchMemory(
            4 * ScratchMemory.Size<T>(block) + 3 * ScratchMemory.Size<T>(Square) + 2 * ScratchMemory.Size<float>(Square)
            + ScratchMemory.Size<float>(block) + ScratchMemory.Size<float>(Square)
            + 3 * ScratchMemory.Size<float>(AttentionPlan.Tile) + 2 * ScratchMemory.Size<float>((long)blocksInChunk * block));
        QueryColumns = scratch.Take<T>(block);
        GradientColumns = scratch.Take<T>(block);
        QueryRows = scratch.Take<T>(block);
        GradientRows = scratch.Take<T>(block);
        Weights = scratch.Take<T>(Square);
        ScoreGradients = scratch.Take<T>(Square);
        ScoreGradientsRight = scratch.Take<T>(Square);
        Scores = scratch.Take<float>(Square);
        Products = scratch.Take<float>(Square);
        QuerySums = scratch.Take<float>(block);
        Transposed = scratch.Take<float>(Square);
        LogSumExp = scratch.Take<float>(AttentionPlan.Tile);
        Projection = scratch.Take<float>(AttentionPlan.Tile);
        Factors = scratch.Take<float>(AttentionPlan.Tile);
        KeySums = scratch.Take<float>((long)blocksInChunk * block);
        ValueSums = scratch.Take<float>((long)blocksInChunk * block);
    }

    /// <summary>Right operands [width, queries] of the query and of the output's gradient.</summary>
    internal T* QueryColumns { get; }

    internal T* GradientColumns { get; }

    /// <summary>Right operands [queries, width], rows shuffled.</summary>
    internal T* QueryRows { get; }

    internal T* GradientRows { get; }

    /// <summary>Left operands [keys, queries], columns shuffled.</summary>
    internal T* Weights { get; }

    internal T* ScoreGradients { get; }

    /// <summary>Right operand [keys, queries].</summary>
    internal T* ScoreGradientsRight { get; }

    /// <summary>[keys, queries].</summary>
    internal float* Scores { get; }

    /// <summary>Values times the output's gradient, less the projection, [keys, queries].</summary>
    internal float* Products { get; }

    /// <summary>[width, queries].</summary>
    internal float* QuerySums { get; }

    /// <summary>A tile.</summary>
    internal float* Transposed { get; }

    internal float* LogSumExp { get; }

    internal float* Projection { get; }

    internal float* Factors { get; }

    /// <summary>[blocks, keys, width] in tiles.</summary>
    internal float* KeySums { get; }

    internal float* ValueSums { get; }
}
