namespace Handbook.Recipes.Tests;

public sealed class SweepGridTests
{
    [Fact]
    public void Of_ListsOfValues_GivesEveryCombination()
    {
        var points = SweepGrid.Of(["recipe.yaml", "--loss_type=sigmoid,ipo", "--seed=3", "--beta", "0.1,0.5"]);

        Assert.Equal(["loss_type-sigmoid_beta-0.1", "loss_type-sigmoid_beta-0.5", "loss_type-ipo_beta-0.1", "loss_type-ipo_beta-0.5"], points.Select(point => point.Name));
        Assert.Equal(["recipe.yaml", "--loss_type=ipo", "--seed=3", "--beta=0.1"], points[2].Arguments);
    }

    [Fact]
    public void Of_ListInBrackets_IsOneValue()
    {
        var points = SweepGrid.Of(["recipe.yaml", "--loss_type=[sigmoid,sft],ipo"]);

        Assert.Equal(["--loss_type=[sigmoid,sft]", "--loss_type=ipo"], points.Select(point => point.Arguments[1]));
    }

    [Fact]
    public void Of_NothingToVary_SaysHow()
    {
        var error = Assert.Throws<UserErrorException>(() => SweepGrid.Of(["recipe.yaml", "--beta=0.1"]));

        Assert.Contains("nothing to sweep over", error.Message, StringComparison.Ordinal);
    }
}
